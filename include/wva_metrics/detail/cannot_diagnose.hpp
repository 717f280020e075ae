// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"

namespace wva_metrics::detail {

/// The error of a type-erased object whose content cannot diagnose.
inline Error cannot_diagnose() {
    return Error(Errc::invalid_config,
                 "the backend cannot say why a model has no metrics: it has no function "
                 "`diagnose` (see the concept DiagnosingBackend)");
}

} // namespace wva_metrics::detail
