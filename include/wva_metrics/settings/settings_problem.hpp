// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/join_problems.hpp"
#include "wva_metrics/error.hpp"

#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>

#include <string>
#include <utility>
#include <vector>

namespace wva_metrics {

/// One problem, or warning, of a document or the environment.
struct SettingsProblem {
    /// The field, e.g. `collector.cache.ttl` or `tracked.variants[2].cost`, or the environment
    /// variable; empty for the document as a whole.
    std::string path;
    /// The problem and how to solve it. Never contains a secret.
    std::string message;

    /// One line: `collector.cache.ttl: must be positive`.
    std::string describe() const { return path.empty() ? message : path + ": " + message; }

    /// Equal if the path and the message are equal.
    friend bool operator==(const SettingsProblem&, const SettingsProblem&) = default;
};

/// All problems of a document and the environment.
struct SettingsProblems {
    /// Not empty if this is the error of a result.
    std::vector<SettingsProblem> problems;

    /// One line per problem.
    std::string describe() const {
        std::string text;
        for (const SettingsProblem& problem : problems)
            text += (text.empty() ? "" : "\n") + problem.describe();
        return text;
    }

    /// An error `Errc::invalid_config` with all problems on one line.
    Error to_error() const {
        std::vector<std::string> texts;
        for (const SettingsProblem& problem : problems)
            texts.push_back(problem.describe());
        return {Errc::invalid_config, detail::join_problems(texts)};
    }
};

/// Boost.System calls it if `value()` is called on a result with problems. Throws `ResultError`.
[[noreturn]] inline void throw_exception_from_error(const SettingsProblems& problems,
                                                    const boost::source_location&) {
    throw ResultError(problems.to_error());
}

/// A value, or the problems that prevent it.
template <typename T>
using SettingsResult = boost::system::result<T, SettingsProblems>;

} // namespace wva_metrics
