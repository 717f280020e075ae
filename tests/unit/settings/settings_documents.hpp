// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "support/settings_samples.hpp"
#include "wva_metrics/settings/read_settings.hpp"

#include <algorithm>
#include <cstddef>
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

/// A document whose object at this path, "" for the whole document, has these members.
inline std::string document_with_members(std::string_view object, std::string_view members) {
    std::string begin = "{";
    std::string end = "}";
    while (!object.empty()) {
        const std::string_view name = object.substr(0, object.find('.'));
        begin += "\"" + std::string(name) + "\": {";
        end += '}';
        object.remove_prefix(std::min(name.size() + 1, object.size()));
    }
    return begin + std::string(members) + end;
}

/// A document with one value, at this path.
inline std::string document_with(std::string_view path, std::string_view value) {
    const std::size_t dot = path.rfind('.');
    const std::string_view object = dot == std::string_view::npos ? "" : path.substr(0, dot);
    const std::string_view name = dot == std::string_view::npos ? path : path.substr(dot + 1);
    return document_with_members(object, "\"" + std::string(name) + "\": " + std::string(value));
}

} // namespace wva_metrics::test
