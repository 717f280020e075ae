// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/resilience/protection_config.hpp"

namespace wva_metrics::test_support {

/// For tests of what one attempt does: a request is never sent again after a failure.
inline const resilience::ProtectionConfig single_attempt{.retry = {.attempts = 1}};

/// For tests of what is made of a failure: each request is sent once, however many have failed.
inline const resilience::ProtectionConfig unprotected{
    .retry = {.attempts = 1}, .breaker = {.enabled = false}, .concurrency = {.adaptive = false}};

} // namespace wva_metrics::test_support
