// SPDX-License-Identifier: Apache-2.0
//
// Uses a function that is not defined.
#include "wva_metrics/settings/plugin/plugin.hpp"

extern "C" int undefined_function();

namespace {
wva_metrics::Result<wva_metrics::AnyBackend> make(const wva_metrics::asio::any_io_executor&,
                                                  const wva_metrics::CollectorSettings&) {
    return wva_metrics::Error(wva_metrics::Errc::internal, std::to_string(undefined_function()));
}
} // namespace

WVA_METRICS_EXPORT_BACKEND("incomplete", make);
