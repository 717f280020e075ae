// SPDX-License-Identifier: Apache-2.0
//
// Compiled without WVA_METRICS_SEPARATE_COMPILATION.
#include <wva_metrics/error.hpp>

wva_metrics::Error make_error() {
    return {wva_metrics::Errc::timeout, "too late"};
}
