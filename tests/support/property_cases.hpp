// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace wva_metrics::test_support {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool under_sanitizer = true;
#elif defined(__has_feature)
inline constexpr bool under_sanitizer =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
inline constexpr bool under_sanitizer = false;
#endif

/// How many random cases a property test tries: `count`, or a fifth of it under a sanitizer, which makes
/// each of them slower. The presets without sanitizers try them all.
constexpr unsigned property_cases(unsigned count) {
    return under_sanitizer ? count / 5 : count;
}

} // namespace wva_metrics::test_support
