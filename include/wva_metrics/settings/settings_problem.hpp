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

/// One thing that is wrong with what somebody wrote, and where.
struct SettingsProblem {
    /// The field, such as `collector.cache.ttl` or `tracked.variants[2].cost`, or the environment
    /// variable; empty where it is the document as a whole.
    std::string path;
    /// What is wrong and what to do. Never holds a secret.
    std::string message;

    /// `collector.cache.ttl: must be positive`
    std::string describe() const { return path.empty() ? message : path + ": " + message; }

    /// Same words.
    friend bool operator==(const SettingsProblem&, const SettingsProblem&) = default;
};

/// Everything that is wrong with a document and an environment, found at once.
struct SettingsProblems {
    /// At least one where a result holds this.
    std::vector<SettingsProblem> problems;

    /// One line per problem, for people.
    std::string describe() const {
        std::string text;
        for (const SettingsProblem& problem : problems)
            text += (text.empty() ? "" : "\n") + problem.describe();
        return text;
    }

    /// The same as an `Errc::invalid_config`, on one line.
    Error to_error() const {
        std::vector<std::string> texts;
        for (const SettingsProblem& problem : problems)
            texts.push_back(problem.describe());
        return {Errc::invalid_config, detail::join_problems(texts)};
    }
};

/// Found by Boost.System when `value()` is called on a result that holds problems: throws
/// `ResultError`.
[[noreturn]] inline void throw_exception_from_error(const SettingsProblems& problems,
                                                    const boost::source_location&) {
    throw ResultError(problems.to_error());
}

/// A value, or everything that stands in its way.
template <typename T>
using SettingsResult = boost::system::result<T, SettingsProblems>;

} // namespace wva_metrics
