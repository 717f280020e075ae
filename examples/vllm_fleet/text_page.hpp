// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "exposition.hpp"
#include "text_format.hpp"

#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace vllm_fleet {

/// A visitor that writes the text format, version 0.0.4.
struct TextPage {
    void family(std::string_view name, std::string_view type, std::string_view help) {
        ((((text += "# HELP ") += name) += ' ') += help) += '\n';
        ((((text += "# TYPE ") += name) += ' ') += type) += '\n';
    }

    void sample(std::string_view name, const Target& target, std::string_view label,
                std::string_view label_value, double value) {
        text += name;
        const char* separator = "{";
        if (!target.text.empty()) {
            (text += separator) += target.text;
            separator = ",";
        }
        if (!label.empty()) {
            ((((text += separator) += label) += "=\"") += label_value) += '"';
            separator = ",";
        }
        text += *separator == '{' ? " " : "} ";
        append_number(text, value);
        text += '\n';
    }

    std::string text;
};

/// A visitor that leaves out what was not asked for.
struct FilteredPage {
    void family(std::string_view name, std::string_view type, std::string_view help) {
        header.text.clear();
        header.family(name, type, help);
    }

    void sample(std::string_view name, const Target& target, std::string_view label,
                std::string_view label_value, double value) {
        if (!names.contains(name))
            return;
        page.text += header.text;
        header.text.clear();
        page.sample(name, target, label, label_value, value);
    }

    const std::set<std::string, std::less<>>& names;
    TextPage page{};
    TextPage header{}; ///< Of the family, until it has a sample.
};

} // namespace vllm_fleet
