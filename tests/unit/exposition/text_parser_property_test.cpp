// SPDX-License-Identifier: Apache-2.0

#include "wva_metrics/exposition/text_parser.hpp"

#include "wva_metrics/exposition/conformance_checker.hpp"
#include "wva_metrics/exposition/detail/fast_text.hpp"
#include "wva_metrics/exposition/text_format.hpp"
#include "wva_metrics/exposition/wanted_metrics.hpp"

#include "support/property_cases.hpp"
#include "unit/exposition/read_samples.hpp"

#include <catch2/catch_all.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wva_metrics::exposition {
namespace {

constexpr std::string_view varied_page =
    "# HELP a x\n# TYPE a counter\na_total{x=\"1\",y=\"\\\"\\\\\\n\xE2\x82\xAC\"} 1.5 123 # "
    "{t=\"u\"} 1\n"
    "# TYPE hist histogram\nhist_bucket{le=\"1\"} 0\nhist_bucket{le=\"+Inf\"} 3\nhist_sum 2\n"
    "hist_count 3\n# UNIT g_s s\n# TYPE g_s gauge\ng_s NaN\ng_s{x=\"y\"} -5e-3\n# EOF\n";

bool is_same(const ReadPage& a, const ReadPage& b) {
    return a.lines() == b.lines() && a.families == b.families && a.problem == b.problem &&
           a.last_line_is_open == b.last_line_is_open;
}

TEST_CASE("a page says the same however it is cut") {
    const std::string broken = std::string(varied_page.substr(0, 200)) + "\nb{x=\"1\n";
    const std::string unended = std::string(varied_page.substr(0, varied_page.size() - 7));
    for (const std::string& page : {std::string(varied_page), broken, unended}) {
        for (const WantedMetrics& wanted : {WantedMetrics(), WantedMetrics({"hist_sum", "g_s"})}) {
            const auto read = [&](const std::vector<std::string>& pieces) {
                return read_pieces(pieces, TextFormat::open_metrics_1_0, wanted);
            };
            const ReadPage whole = read({page});
            for (std::size_t cut = 0; cut <= page.size(); ++cut)
                REQUIRE(is_same(read({page.substr(0, cut), page.substr(cut)}), whole));
            std::vector<std::string> bytes;
            for (const char c : page)
                bytes.emplace_back(1, c);
            REQUIRE(is_same(read(bytes), whole));
        }
        const std::optional<PageProblem> strict = find_problem(page, TextFormat::open_metrics_1_0);
        for (std::size_t cut = 0; cut <= page.size(); ++cut) {
            ConformanceChecker checker(TextFormat::open_metrics_1_0);
            static_cast<void>(checker.feed(std::string(page.substr(0, cut))));
            static_cast<void>(checker.feed(std::string(page.substr(cut))));
            static_cast<void>(checker.finish());
            REQUIRE(checker.problem() == strict);
        }
    }
    CHECK(find_problem(varied_page, TextFormat::open_metrics_1_0) == std::nullopt);
}

TEST_CASE("no prefix of an OpenMetrics page passes for a whole one") {
    // Without the line feed after its # EOF it is whole.
    for (std::size_t size = 0; size + 1 < varied_page.size(); ++size) {
        INFO(size);
        const std::string_view prefix = varied_page.substr(0, size);
        REQUIRE(read_page(prefix, TextFormat::open_metrics_1_0).problem != "");
        REQUIRE(find_problem(prefix, TextFormat::open_metrics_1_0));
    }
}

/// Writes random pages, and knows what they say.
class PageWriter {
public:
    explicit PageWriter(unsigned seed) : random_(seed) {}

    ReadPage expected{};
    std::string text{};

    void write_family() {
        static constexpr std::string_view types[] = {"gauge", "counter", "histogram", "unknown"};
        const std::string family = "f" + std::to_string(below(30));
        const std::string_view type = types[below(4)];
        if (below(5) > 0)
            text += "# HELP " + family + " Something # {} \"quoted\".\n";
        ReadSample sample;
        const bool is_typed = below(5) > 0;
        if (is_typed) {
            text += "# TYPE " + family + " " + std::string(type) + "\n";
            expected.families.push_back(family + " " + std::string(type));
            sample.type = *parse_family_type(type);
            types_[family] = sample.type;
        } else if (types_.contains(family)) {
            sample.type = types_[family];
        }
        const bool is_known = types_.contains(family);
        for (std::size_t count = below(4); count > 0; --count) {
            const std::string_view ending =
                is_known && sample.type == FamilyType::histogram ? "_sum"
                : is_known && sample.type == FamilyType::counter ? "_total"
                                                                 : "";
            sample.family = family;
            sample.name = family + std::string(ending);
            write_sample(sample);
        }
    }

private:
    std::size_t below(std::size_t count) { return random_() % count; }
    std::string blanks(bool needs_one) {
        static constexpr std::string_view all[] = {" ", "  ", "\t", " \t "};
        return below(3) > 0 ? (needs_one ? " " : "") : std::string(all[below(4)]);
    }
    void write_sample(ReadSample sample) {
        text += blanks(false) + sample.name;
        sample.labels.clear();
        const std::size_t labels = below(4);
        if (labels > 0 || below(4) == 0) {
            text += blanks(false) + "{";
            for (std::size_t i = 0; i < labels; ++i)
                write_label(sample, std::string(1, static_cast<char>('k' + i)));
            text += blanks(false) + (labels > 0 && below(4) == 0 ? "," : "") + "}";
        }
        sample.value = static_cast<double>(below(2'000'000)) / 1000 - 500;
        char digits[40];
        text += blanks(true);
        text +=
            std::string(digits, std::to_chars(digits, digits + sizeof digits, sample.value).ptr);
        if (below(4) == 0) {
            sample.timestamp_ms = static_cast<std::int64_t>(below(1'000'000));
            text += blanks(true) + std::to_string(*sample.timestamp_ms);
        }
        text += blanks(false) + (below(4) == 0 ? "\r\n" : "\n");
        expected.samples.push_back(sample);
    }
    void write_label(ReadSample& sample, const std::string& name) {
        static constexpr std::pair<std::string_view, std::string_view> parts[] = {
            {"a", "a"},
            {"\\n", "\n"},
            {"\\\\", "\\"},
            {"\\\"", "\""},
            {"} ", "} "},
            {",#=", ",#="},
            {"\xC3\xA9", "\xC3\xA9"},
            {"twelve chars", "twelve chars"}};
        std::string value;
        text += (sample.labels.empty() ? "" : ",") + blanks(false) + name + blanks(false) + "=" +
                blanks(false) + "\"";
        for (std::size_t count = below(6); count > 0; --count) {
            const auto& [written, read] = parts[below(8)];
            text += written;
            value += read;
        }
        text += "\"" + blanks(false);
        sample.labels.emplace_back(name, value);
    }

    std::mt19937 random_;
    std::map<std::string, FamilyType> types_{};
};

TEST_CASE(
    "a random page says what was written, in any pieces, and a part of it if that is wanted") {
    for (unsigned seed = 0; seed < test_support::property_cases(500); ++seed) {
        INFO("seed " << seed);
        PageWriter writer(seed);
        for (int family = 0; family < 8; ++family)
            writer.write_family();
        std::mt19937 random(seed);
        std::vector<std::string> pieces;
        for (std::size_t at = 0; at < writer.text.size(); at += pieces.back().size())
            pieces.push_back(writer.text.substr(at, 1 + random() % 40));

        const ReadPage page = read_pieces(pieces);
        REQUIRE(page.problem == "");
        REQUIRE(page.lines() == writer.expected.lines());
        REQUIRE(page.families == writer.expected.families);

        const WantedMetrics wanted({"f1", "f2_total", "f3_sum", "f11", "f12_sum", "f21_total"});
        std::erase_if(writer.expected.samples,
                      [&](const ReadSample& sample) { return !wanted.wants(sample.name); });
        const ReadPage part = read_pieces(pieces, TextFormat::prometheus_0_0_4, wanted);
        REQUIRE(part.problem == "");
        REQUIRE(part.lines() == writer.expected.lines());
    }
}

TEST_CASE("a parser that has read other pages reads one as a new parser does") {
    const WantedMetrics wanted({"f1", "f2_total", "f3_sum", "f11", "f12_sum", "f21_total"});
    TextParser parser(TextFormat::prometheus_0_0_4, wanted);
    std::string text;
    for (unsigned seed = 0; seed < test_support::property_cases(500); ++seed) {
        INFO("seed " << seed);
        // Every third page has the `# TYPE` lines of the last one, and others before or behind them.
        PageWriter writer(seed);
        for (int family = 0; family < 6; ++family)
            writer.write_family();
        text = seed % 3 == 0   ? writer.text
               : seed % 3 == 1 ? text + writer.text
                               : writer.text + text;
        parser.restart();
        PageCollector sink;
        REQUIRE(parser.feed(text, sink).has_value());
        REQUIRE(parser.finish(sink).has_value());
        REQUIRE(is_same(sink.page, read_page(text, TextFormat::prometheus_0_0_4, wanted)));
    }
}

TEST_CASE("the end of a name is found at each place, by each character") {
    for (unsigned code = 0; code < 256; ++code)
        for (std::size_t at = 0; at < 40; ++at) {
            std::string text(40, 'n');
            text[at] = static_cast<char>(code);
            const std::size_t size = detail::is_kind(text[at], detail::name_part) ? 40 : at;
            REQUIRE(detail::find_end_of_name(text.data(), text.data() + 40) == text.data() + size);
        }
}

TEST_CASE("random numbers are read as the standard library reads them") {
    std::mt19937_64 random(1);
    for (unsigned i = 0; i < test_support::property_cases(20'000); ++i) {
        char digits[60];
        const double number =
            i % 3 == 0
                ? static_cast<double>(static_cast<std::int64_t>(random()) >> (random() % 63))
                : static_cast<double>(static_cast<std::int64_t>(random() >> (random() % 60))) /
                      std::pow(10.0, static_cast<double>(random() % 25));
        const auto format = i % 2 == 0 ? std::chars_format::fixed : std::chars_format::scientific;
        const char* const end = std::to_chars(digits, digits + sizeof digits, number, format).ptr;
        const std::string text(digits, static_cast<std::size_t>(end - digits));
        INFO(text);
        REQUIRE(detail::parse_number(text) == number);
    }
}

} // namespace
} // namespace wva_metrics::exposition
