// SPDX-License-Identifier: Apache-2.0
//
// Tells where pages of metrics do not conform to their format, and why.
#include <wva_metrics/error.hpp>
#include <wva_metrics/exposition/conformance_checker.hpp>
#include <wva_metrics/exposition/open_metrics_2_checker.hpp>
#include <wva_metrics/exposition/open_metrics_2_parser.hpp>
#include <wva_metrics/exposition/text_parser.hpp>

#include <array>
#include <exception>
#include <fstream>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace wva_metrics;
using exposition::PageProblem;
using exposition::TextFormat;

constexpr const char* help_text =
    "usage: openmetrics_lint [option]... FILE...\n"
    "Prints FILE:LINE:COLUMN: and what is wrong for each page that does not conform to OpenMetrics "
    "1.0.\n"
    "The file - is the standard input. Options:\n"
    "  --tolerant     refuse only what the library cannot read: a page as real servers send it\n"
    "  --prometheus   the page is Prometheus' text format 0.0.4\n"
    "  --utf8         the page is Prometheus' text format 1.0.0, which has names in quotes\n"
    "  --v2           the page is OpenMetrics 2.0 (2.0.0-rc0)\n"
    "Exit status: 0 all conform, 1 one does not, 2 wrong usage or a file that cannot be read.\n";

struct UsageError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

struct Options {
    std::vector<std::string> files;
    TextFormat format = TextFormat::open_metrics_1_0;
    bool tolerant = false, help = false, is_version_2 = false;
};

Options parse_options(const std::vector<std::string>& arguments) {
    Options options;
    for (const std::string& argument : arguments) {
        if (argument == "--help")
            options.help = true;
        else if (argument == "--tolerant")
            options.tolerant = true;
        else if (argument == "--prometheus")
            options.format = TextFormat::prometheus_0_0_4;
        else if (argument == "--utf8")
            options.format = TextFormat::prometheus_1_0_0;
        else if (argument == "--v2")
            options.is_version_2 = true;
        else if (argument != "-" && argument.starts_with('-'))
            throw UsageError("unknown option " + argument);
        else
            options.files.push_back(argument);
    }
    if (options.files.empty() && !options.help)
        throw UsageError("a FILE is required");
    return options;
}

/// Feeds a file in pieces to a reader: a function that returns false if it needs no more. Returns
/// false if the file cannot be read.
template <typename Reader>
bool read_file(const std::string& name, Reader read) {
    std::ifstream opened;
    if (name != "-") {
        opened.open(name, std::ios::binary);
        if (!opened)
            return false;
    }
    std::istream& stream = name == "-" ? std::cin : opened;
    std::array<char, 65536> piece;
    do {
        stream.read(piece.data(), piece.size());
        if (stream.bad())
            return false;
    } while (read(std::string_view(piece.data(), static_cast<std::size_t>(stream.gcount()))) &&
             stream);
    return true;
}

/// What is wrong with the page in a file. Throws if it cannot be read.
std::optional<PageProblem> find_problem_in(const std::string& name, const Options& options) {
    const auto ignore = [](const exposition::PageSample&) {};
    if (options.is_version_2) {
        exposition::OpenMetrics2Parser parser;
        exposition::OpenMetrics2Checker checker;
        const bool is_read = read_file(name, [&](std::string_view piece) {
            return options.tolerant ? parser.feed(piece, ignore).has_value()
                                    : checker.feed(piece).has_value();
        });
        if (!is_read)
            throw std::runtime_error("cannot read " + name);
        static_cast<void>(options.tolerant ? parser.finish(ignore) : checker.finish());
        return options.tolerant ? parser.problem() : checker.problem();
    }
    exposition::TextParser parser(options.format);
    exposition::ConformanceChecker checker(options.format);
    const bool is_read = read_file(name, [&](std::string_view piece) {
        return options.tolerant ? parser.feed(piece, ignore).has_value()
                                : checker.feed(piece).has_value();
    });
    if (!is_read)
        throw std::runtime_error("cannot read " + name);
    static_cast<void>(options.tolerant ? parser.finish(ignore) : checker.finish());
    return options.tolerant ? parser.problem() : checker.problem();
}

int main(int argc, char** argv) try {
    const Options options = parse_options({argv + 1, argv + argc});
    if (options.help) {
        std::cout << help_text;
        return 0;
    }
    int status = 0;
    for (const std::string& file : options.files) {
        const std::optional<PageProblem> problem = find_problem_in(file, options);
        if (!problem)
            continue;
        status = 1;
        // An error's text has no control characters of the page.
        const Error error(Errc::bad_response, problem->message);
        std::cout << file << ":" << problem->line << ":" << problem->column << ": " << error.message
                  << "\n";
    }
    return status;
} catch (const std::exception& error) {
    const bool is_usage = dynamic_cast<const UsageError*>(&error) != nullptr;
    std::cerr << "openmetrics_lint: " << error.what() << (is_usage ? "; see --help\n" : "\n");
    return 2;
}
