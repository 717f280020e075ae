// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/settings/plugin/plugin.hpp"
#include "wva_metrics/testing/fake_backend.hpp"

#include <stdexcept>

namespace {

/// Fails as the options of the settings say.
wva_metrics::Result<wva_metrics::AnyBackend> make(const wva_metrics::asio::any_io_executor&,
                                                  const wva_metrics::CollectorSettings& settings) {
    using namespace wva_metrics;
    if (settings.options.contains("throw"))
        throw std::runtime_error("the accelerator is on fire");
    testing::FakeBackend<> backend;
    if (settings.options.contains("fail"))
        backend.fail(Error(Errc::unavailable, "an error of the plugin"));
    if (settings.options.contains("throw_later"))
        backend.throw_always(std::make_exception_ptr(std::runtime_error("thrown by the plugin")));
    return backend;
}

} // namespace

WVA_METRICS_EXPORT_BACKEND("good", make);
