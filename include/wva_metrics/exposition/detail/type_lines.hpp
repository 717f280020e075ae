// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/exposition/detail/fast_text.hpp"
#include "wva_metrics/exposition/family_type.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::exposition::detail {

/// What a `# TYPE` line says.
struct TypeLine {
    std::string_view family{};
    FamilyType type = FamilyType::unknown;
    /// The family's samples begin with its name: it needs no quotes.
    bool is_plain = false;
    /// The beginning of the family's name with which no wanted name begins; empty if one begins with
    /// all of it.
    std::string_view unwanted{};
};

/// The `# TYPE` lines of the last page, in its order. A server writes the same ones in the same order
/// each time, so most of them need not be read again. Keeps its memory, at most 256 KiB.
class TypeLines {
public:
    /// Another page begins.
    void restart() noexcept { next_ = 0; }
    /// Finds the next line, if it is the same as at this place of the last page. `found` points into
    /// `line` then.
    bool find(std::string_view line, TypeLine& found) noexcept {
        if (next_ == lines_.size() || lines_[next_].text.size() != line.size() ||
            !begins_with(line, lines_[next_].text))
            return false;
        const Line& known = lines_[next_++];
        found.family = line.substr(known.offset, known.size);
        found.type = known.type;
        found.is_plain = true;
        found.unwanted = found.family.substr(0, known.unwanted_size);
        return true;
    }
    /// Remembers a line that was not found, in its place. `said` points into `line`.
    void remember(std::string_view line, const TypeLine& said) {
        constexpr std::size_t most_lines = 1024;
        constexpr std::size_t longest = 256;
        if (!said.is_plain || line.size() > longest || next_ == most_lines)
            return;
        if (next_ == lines_.size())
            lines_.emplace_back();
        Line& known = lines_[next_++];
        known.text = line;
        known.offset = static_cast<std::size_t>(said.family.data() - line.data());
        known.size = said.family.size();
        known.unwanted_size = said.unwanted.size();
        known.type = said.type;
    }

private:
    struct Line {
        std::string text{};
        std::size_t offset = 0;
        std::size_t size = 0;
        std::size_t unwanted_size = 0;
        FamilyType type = FamilyType::unknown;
    };

    std::vector<Line> lines_{};
    std::size_t next_ = 0;
};

} // namespace wva_metrics::exposition::detail
