// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/join_problems.hpp"
#include "wva_metrics/error.hpp"

#include <boost/system/result.hpp>

#include <string>
#include <utility>
#include <vector>

namespace wva_metrics::detail {

/// Returns a valid configuration, and throws `ResultError` with all problems of an invalid one.
///
/// For a constructor, before it uses the configuration. `what` names the object for people, e.g.
/// `HTTP client`.
template <typename Config>
Config checked(Config config, const char* what) {
    if (const std::vector<std::string> problems = validate(config); !problems.empty())
        throw ResultError(Error(Errc::invalid_config, std::string("invalid configuration of the ") +
                                                          what + ": " + join_problems(problems)));
    return config;
}

/// Constructs a `T`. The `ResultError` that its constructor throws becomes the error of the result,
/// so `make` and the constructor reject the same with the same words.
///
/// The object is constructed inside the result, so it need not be movable.
template <typename T, typename... Arguments>
Result<T> make_result(Arguments&&... arguments) {
    try {
        return Result<T>(boost::system::in_place_value, std::forward<Arguments>(arguments)...);
    } catch (const ResultError& rejected) {
        return rejected.error();
    }
}

} // namespace wva_metrics::detail
