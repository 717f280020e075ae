// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"

#include <catch2/catch_all.hpp>

#include <string>

namespace wva_metrics::test_support {

/// The message with which the constructor of `T` and `T::make` both reject these arguments as an
/// invalid configuration.
template <typename T, typename... Arguments>
std::string rejection_of(const Arguments&... arguments) {
    const Result<T> made = T::make(arguments...);
    REQUIRE(made.has_error());
    CHECK(made.error().is(Errc::invalid_config));
    try {
        const T constructed(arguments...);
        FAIL("the constructor accepts it");
    } catch (const ResultError& thrown) {
        CHECK(thrown.error() == made.error());
    }
    return made.error().message;
}

} // namespace wva_metrics::test_support
