// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace wva_metrics {

/// What is written where a field of settings holds a secret.
enum class Secrets {
    /// `***`. For everything that people or logs will see.
    masked,
    /// The secret itself, so that nothing is lost.
    plain,
};

} // namespace wva_metrics
