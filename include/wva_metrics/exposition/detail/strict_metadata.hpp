// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/detail/characters.hpp"
#include "wva_metrics/exposition/detail/metadata_line.hpp"
#include "wva_metrics/exposition/detail/strict_sample.hpp"
#include "wva_metrics/exposition/family_type.hpp"
#include "wva_metrics/exposition/text_format.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace wva_metrics::exposition::detail {

enum class MetadataKind : std::uint8_t { comment, end, type, help, unit };

/// A line that begins with `#`, read by the letter of its format.
struct StrictMetadata {
    MetadataKind kind = MetadataKind::comment;
    std::string family{};
    FamilyType type = FamilyType::unknown;
    std::string text{};     ///< The unit.
    std::size_t column = 1; ///< Of what follows the family's name.
};

/// Reads a line that begins with `#`, apart from blanks in Prometheus' formats.
class StrictMetadataReader {
public:
    StrictMetadataReader(std::string_view line, TextFormat format) : line_(line), format_(format) {}

    LineProblem problem{};

    bool read(StrictMetadata& metadata) {
        return format_ == TextFormat::open_metrics_1_0 ? read_open_metrics(metadata)
                                                       : read_prometheus(metadata);
    }

private:
    bool refuse(std::string message, std::size_t column) {
        problem = {column, std::move(message)};
        return false;
    }

    bool read_open_metrics(StrictMetadata& metadata) {
        if (line_ == "# EOF") {
            metadata.kind = MetadataKind::end;
            return true;
        }
        const std::string_view keyword = line_.substr(0, 7);
        if (keyword == "# TYPE ")
            metadata.kind = MetadataKind::type;
        else if (keyword == "# HELP ")
            metadata.kind = MetadataKind::help;
        else if (keyword == "# UNIT ")
            metadata.kind = MetadataKind::unit;
        else
            return refuse("expected # TYPE, # HELP, # UNIT or # EOF, with one space each", 1);
        const std::size_t space = line_.find(' ', 7);
        metadata.family = line_.substr(7, std::min(space, line_.size()) - 7);
        if (!is_plain_name(metadata.family, name_start))
            return refuse("expected the name of a metric family", 8);
        if (space == std::string_view::npos)
            return refuse("expected a space after the name", line_.size() + 1);
        metadata.column = space + 2;
        return read_content(metadata, line_.substr(space + 1));
    }

    bool read_prometheus(StrictMetadata& metadata) {
        std::string_view rest = line_;
        rest.remove_prefix(std::min(rest.find('#'), rest.size()) + 1);
        const std::string_view keyword = take_word(rest);
        if (keyword != "TYPE" && keyword != "HELP")
            return true;
        metadata.kind = keyword == "TYPE" ? MetadataKind::type : MetadataKind::help;
        const std::size_t name_column = column_of(rest);
        if (format_ == TextFormat::prometheus_1_0_0 && rest.starts_with('"')) {
            std::string unescaped;
            metadata.family = take_family(rest, unescaped);
            if (metadata.family.empty())
                return refuse("expected a name in double quotes", name_column);
        } else {
            metadata.family = take_word(rest);
            if (!is_plain_name(metadata.family, name_start))
                return refuse("expected the name of a metric", name_column);
        }
        while (!rest.empty() && is_blank(rest.front()))
            rest.remove_prefix(1);
        metadata.column = column_of(rest);
        if (metadata.kind == MetadataKind::type)
            while (!rest.empty() && is_blank(rest.back()))
                rest.remove_suffix(1);
        return read_content(metadata, rest);
    }
    std::size_t column_of(std::string_view rest) const noexcept {
        return line_.size() - rest.size() + 1;
    }

    bool read_content(StrictMetadata& metadata, std::string_view text) {
        if (metadata.kind == MetadataKind::help)
            return check_help(text, metadata.column);
        if (metadata.kind == MetadataKind::unit) {
            metadata.text = text;
            return std::ranges::all_of(text, [](char c) { return is_kind(c, name_part); }) ||
                   refuse("expected a unit of letters, digits, _ and :", metadata.column);
        }
        const bool is_open_metrics = format_ == TextFormat::open_metrics_1_0;
        const std::optional<FamilyType> type = parse_family_type(text);
        const bool is_known =
            type &&
            (is_open_metrics ? text != "untyped"
                             : (text == "untyped" || *type == FamilyType::counter ||
                                *type == FamilyType::gauge || *type == FamilyType::histogram ||
                                *type == FamilyType::summary));
        if (!is_known)
            return refuse(is_open_metrics
                              ? "expected unknown, gauge, counter, stateset, info, "
                                "histogram, gaugehistogram or summary"
                              : "expected counter, gauge, histogram, summary or untyped",
                          metadata.column);
        metadata.type = *type;
        return true;
    }
    /// In OpenMetrics a quote needs a backslash, and every backslash is allowed: one at the end too,
    /// because all readers take it as it is. Prometheus knows two escapes.
    bool check_help(std::string_view text, std::size_t column) {
        const bool is_open_metrics = format_ == TextFormat::open_metrics_1_0;
        for (std::size_t at = 0; at < text.size(); ++at) {
            if (text[at] == '"' && is_open_metrics)
                return refuse("expected \\\" instead of a double quote", column + at);
            if (text[at] != '\\')
                continue;
            ++at;
            const char escaped = at < text.size() ? text[at] : '\0';
            if (!is_open_metrics && escaped != '\\' && escaped != 'n')
                return refuse("expected one of the escapes \\\\ and \\n", column + at - 1);
        }
        return true;
    }

    std::string_view line_;
    TextFormat format_;
};

} // namespace wva_metrics::exposition::detail
