// SPDX-License-Identifier: Apache-2.0
//
// Combines the samples that the benchmarks wrote in all rounds into one table and pictures.
#include "report/comparison.hpp"
#include "report/environment.hpp"
#include "report/ratio_chart.hpp"
#include "report/results_json.hpp"
#include "report/samples.hpp"
#include "report/table.hpp"
#include "report/write_file.hpp"
#include "report/write_pictures.hpp"

#include <algorithm>
#include <cstddef>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace bench::report;

namespace {

constexpr std::string_view usage =
    "usage: report [--output FOLDER] FILE... [--native FILE...]\n"
    "       report [--output FOLDER] --recorded results.json\n\n"
    "Prints the table of what the benchmarks measured. A file is named after the benchmark that\n"
    "wrote it, such as cache_reads.jsonl.\n\n"
    "Options:\n"
    "  --output FOLDER  also writes table.md, results.json, and a picture per benchmark\n"
    "  --native         the files after it come from the build with -march=native\n"
    "  --recorded FILE  the results.json of an earlier run, in place of samples\n"
    "  --help           prints this text\n";

std::string summary_of(const std::vector<Comparison>& comparisons) {
    const TargetCount count = count_targets(comparisons);
    return "Targets: " + std::to_string(count.met) + " met, " + std::to_string(count.not_met) +
           " not met, " + std::to_string(count.not_measured) +
           " not measured. They were set with prototypes on another CPU.";
}

void write_all(const std::filesystem::path& folder, const RecordedResults& results,
               const std::vector<TableLine>& table) {
    const auto& [environment, comparisons] = results;
    const std::string about = environment.describe();
    std::filesystem::create_directories(folder);
    write_file(folder / "results.json", results_json(comparisons, environment));
    write_file(folder / "table.md",
               about + "\n\n" + summary_of(comparisons) + "\n\n" + markdown_table(table));
    for (const std::string& program : programs_of(comparisons))
        write_pictures(folder, program, ratio_chart(comparisons, program, about));
}

std::ifstream open(const std::string& path) {
    std::ifstream file(path);
    if (!file)
        throw std::runtime_error("cannot read " + path);
    return file;
}

struct Arguments {
    std::filesystem::path output;
    std::string recorded;
    std::vector<std::string> portable;
    std::vector<std::string> native;
};

/// Throws `std::invalid_argument` if there is an unknown option, or one without its value.
Arguments parse(const std::vector<std::string>& words) {
    Arguments arguments;
    std::vector<std::string>* files = &arguments.portable;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto value = [&] {
            if (i + 1 == words.size())
                throw std::invalid_argument(words[i] + " needs a value");
            return words[++i];
        };
        if (words[i] == "--native")
            files = &arguments.native;
        else if (words[i] == "--output")
            arguments.output = value();
        else if (words[i] == "--recorded")
            arguments.recorded = value();
        else if (words[i].starts_with("--"))
            throw std::invalid_argument("unknown option '" + words[i] +
                                        "'; report --help lists the options");
        else
            files->push_back(words[i]);
    }
    return arguments;
}

RecordedResults results_of(const Arguments& arguments) {
    if (!arguments.recorded.empty()) {
        std::ifstream file = open(arguments.recorded);
        return read_results(std::string(std::istreambuf_iterator<char>(file), {}));
    }
    const auto samples_of = [](const std::vector<std::string>& paths) {
        Samples samples;
        for (const std::string& path : paths) {
            std::ifstream file = open(path);
            samples.read(file, std::filesystem::path(path).stem());
        }
        return samples;
    };
    return {environment_here(BENCHMARK_COMPILER, BENCHMARK_FLAGS),
            compare(samples_of(arguments.portable).all(), samples_of(arguments.native).all())};
}

} // namespace

int main(int count, char** arguments) {
    const std::vector<std::string> words(arguments + 1, arguments + count);
    if (std::ranges::find(words, "--help") != words.end()) {
        std::cout << usage;
        return 0;
    }
    try {
        const Arguments parsed = parse(words);
        const RecordedResults results = results_of(parsed);
        const std::vector<TableLine> table = table_of(results.comparisons);
        std::cout << text_table(table) << '\n' << summary_of(results.comparisons) << '\n';
        if (!parsed.output.empty())
            write_all(parsed.output, results, table);
    } catch (const std::invalid_argument& error) {
        std::cerr << "report: " << error.what() << '\n';
        return 2;
    } catch (const std::exception& error) {
        std::cerr << "report: " << error.what() << '\n';
        return 1;
    }
    return 0;
}
