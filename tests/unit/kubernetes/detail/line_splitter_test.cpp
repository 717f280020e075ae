// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/kubernetes/detail/line_splitter.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

using wva_metrics::kubernetes::detail::LineSplitter;
using wva_metrics::kubernetes::detail::ObjectIdentity;
using Outcome = LineSplitter::Outcome;

namespace {

struct Lines {
    explicit Lines(std::size_t max_bytes = 100) : splitter(max_bytes) {}
    Outcome write(std::string_view piece) { return splitter.write(piece, *this); }
    bool take(std::string_view line) {
        lines.emplace_back(line);
        return line != "stop";
    }
    bool take_oversized(const ObjectIdentity& identity) {
        lines.push_back("oversized " + identity.name);
        return identity.name != "stop";
    }
    LineSplitter splitter;
    std::vector<std::string> lines;
};

} // namespace

TEST_CASE("lines are complete, wherever the pieces are cut") {
    const std::string text = "first\n\nsecond line\r\n\r\nthird\nnot yet";
    const std::vector<std::string> expected{"first", "second line", "third"};
    for (std::size_t one = 0; one <= text.size(); ++one) {
        for (std::size_t two = one; two <= text.size(); ++two) {
            Lines lines;
            lines.write(std::string_view(text).substr(0, one));
            lines.write(std::string_view(text).substr(one, two - one));
            lines.write(std::string_view(text).substr(two));
            REQUIRE(lines.lines == expected);
        }
    }
    Lines byte_by_byte;
    for (const char c : text)
        byte_by_byte.write({&c, 1});
    CHECK(byte_by_byte.lines == expected);
}

TEST_CASE("a line is not delivered before it ends") {
    Lines lines;
    CHECK(lines.write("abc") == Outcome::taken);
    CHECK(lines.lines.empty());
    CHECK(lines.write("") == Outcome::taken);
    CHECK(lines.write("\n") == Outcome::taken);
    CHECK(lines.lines == std::vector<std::string>{"abc"});
}

TEST_CASE("a line may be as long as the limit and no longer") {
    for (const std::size_t cut : {0UL, 1UL, 5UL, 9UL, 10UL}) {
        const std::string longest(10, 'x');
        Lines fits(10);
        CHECK(fits.write(longest.substr(0, cut)) == Outcome::taken);
        CHECK(fits.write(longest.substr(cut) + "\n") == Outcome::taken);
        CHECK(fits.lines.size() == 1);
        // The limit applies to each line.
        CHECK(fits.write(longest + "\n" + longest + "\n") == Outcome::taken);

        Lines too_long(9);
        const Outcome first = too_long.write(longest.substr(0, cut));
        CHECK((first == Outcome::too_long ||
               too_long.write(longest.substr(cut)) == Outcome::too_long));
        CHECK(too_long.lines.empty());
    }
}

TEST_CASE("lines before a line that is too long are delivered") {
    Lines lines(5);
    CHECK(lines.write("a\nb\nccccccc") == Outcome::too_long);
    CHECK(lines.lines == std::vector<std::string>{"a", "b"});
}

TEST_CASE("an event that is too long is skipped and named, wherever the pieces are cut") {
    const std::string named =
        R"({"object":{"spec":"xxxxxxxxxxxxxxxxxxx","metadata":{"name":"big"}}})";
    const std::string text = "a\n" + named + "\r\nb\n";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        Lines lines(20);
        CHECK(lines.write(text.substr(0, cut)) == Outcome::taken);
        CHECK(lines.write(text.substr(cut)) == Outcome::taken);
        REQUIRE(lines.lines == std::vector<std::string>{"a", "oversized big", "b"});
    }
}

TEST_CASE("an event that never ends is not skipped for ever") {
    Lines lines(5);
    const std::string piece(std::size_t{1} << 20, '{');
    Outcome outcome = Outcome::taken;
    int pieces = 0;
    for (; outcome == Outcome::taken; ++pieces)
        outcome = lines.write(piece);
    CHECK(outcome == Outcome::too_long);
    CHECK(pieces == 33);
    CHECK(lines.lines.empty());
}

TEST_CASE("nothing is delivered after the callback returns false") {
    Lines lines;
    CHECK(lines.write("a\nst") == Outcome::taken);
    CHECK(lines.write("op\nb\n") == Outcome::stopped);
    CHECK(lines.lines == std::vector<std::string>{"a", "stop"});
}
