// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace wva_metrics {

/// How secrets are written.
enum class Secrets {
    /// As `***`: for output and logs.
    masked,
    /// As they are: for a document that can be read again.
    plain,
};

} // namespace wva_metrics
