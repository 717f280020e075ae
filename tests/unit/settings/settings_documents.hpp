// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/settings_samples.hpp"
#include "wva_metrics/settings/read_settings.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::test {

/// The problems of a document; its defaults are valid.
inline std::vector<SettingsProblem> problems_of(std::string_view document,
                                                const DocumentLimits& limits = {}) {
    const auto read = read_settings(document, valid_settings(), limits);
    return read ? std::vector<SettingsProblem>() : read.error().problems;
}

/// The text of the only problem of a document.
inline std::string problem_of(std::string_view document) {
    const std::vector<SettingsProblem> problems = problems_of(document);
    return problems.size() == 1 ? problems.front().describe()
                                : std::to_string(problems.size()) + " problems";
}

/// A document with one value, at this path.
inline std::string document_with(std::string_view path, std::string_view value) {
    std::string begin;
    std::string end;
    for (std::size_t dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.')) {
        begin += "{\"" + std::string(path.substr(0, dot)) + "\": ";
        end += '}';
        path.remove_prefix(dot + 1);
    }
    return begin + "{\"" + std::string(path) + "\": " + std::string(value) + '}' + end;
}

} // namespace wva_metrics::test
