// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::fuzz {

/// Splits the bytes of a fuzzer into lines and a rest, so that a corpus is text that people can read
/// and write.
class Input {
public:
    explicit Input(std::string_view bytes) : bytes_(bytes) {}

    /// The next line, without its end; empty if nothing is left.
    std::string_view line() {
        const std::size_t end = std::min(bytes_.find('\n'), bytes_.size());
        const std::string_view text = bytes_.substr(0, end);
        bytes_.remove_prefix(std::min(end + 1, bytes_.size()));
        return text;
    }
    /// All that is left.
    std::string_view rest() { return std::exchange(bytes_, {}); }

private:
    std::string_view bytes_;
};

/// Decisions, from a line with one character for each. `0` and a missing character are the first
/// choice, `1` is the second, and so on.
class Choices {
public:
    explicit Choices(std::string_view line) : line_(line) {}

    /// A number below `count`.
    std::size_t below(std::size_t count) {
        if (line_.empty())
            return 0;
        const auto choice = static_cast<unsigned char>(line_.front() - '0');
        line_.remove_prefix(1);
        return choice % count;
    }
    bool flag() { return below(2) == 1; }

private:
    std::string_view line_;
};

/// The sizes of pieces, from a line with one character for each: `1` is one byte, `9` are nine, `A`
/// are seventeen. They are repeated as long as there is something to cut; an empty line cuts nothing.
class Cuts {
public:
    explicit Cuts(std::string_view line) : line_(line) {}

    /// The size of the next piece of `left` bytes, which is not 0 unless `left` is.
    std::size_t next(std::size_t left) {
        if (line_.empty())
            return left;
        const auto size = static_cast<unsigned char>(line_[at_++ % line_.size()] - '0');
        return std::min<std::size_t>(left, std::max<std::size_t>(size, 1));
    }

private:
    std::string_view line_;
    std::size_t at_ = 0;
};

/// The pieces of a text, each in memory of its own, so that AddressSanitizer finds a reader that
/// keeps a view into one.
inline std::vector<std::string> cut(std::string_view text, std::string_view line) {
    std::vector<std::string> pieces;
    Cuts cuts(line);
    while (!text.empty()) {
        const std::size_t size = cuts.next(text.size());
        pieces.emplace_back(text.substr(0, size));
        text.remove_prefix(size);
    }
    return pieces;
}

} // namespace wva_metrics::fuzz
