// SPDX-License-Identifier: Apache-2.0
//
// report [--native] [--output FOLDER] FILE...
//
// Combines the samples that the benchmarks wrote in all rounds: prints the table, and writes it as
// Markdown and JSON, and plots as SVG, into the folder. Files after --native come from the build
// with -march=native.
#include "report/comparison.hpp"
#include "report/environment.hpp"
#include "report/plots.hpp"
#include "report/ratio_chart.hpp"
#include "report/results_json.hpp"
#include "report/samples.hpp"
#include "report/table.hpp"
#include "report/write_file.hpp"

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace bench::report;

namespace {

std::string summary_of(const std::vector<Comparison>& comparisons) {
    const TargetCount count = count_targets(comparisons);
    return "Targets: " + std::to_string(count.met) + " met, " + std::to_string(count.not_met) +
           " not met, " + std::to_string(count.not_measured) +
           " not measured. They were set with prototypes on another CPU.";
}

void write_all(const std::filesystem::path& folder, const std::vector<Comparison>& comparisons,
               const std::vector<TableLine>& table) {
    const Environment here = environment_here(BENCHMARK_COMPILER, BENCHMARK_FLAGS);
    const std::string about = here.describe();
    std::filesystem::create_directories(folder);
    write_file(folder / "results.json", results_json(comparisons, here));
    write_file(folder / "table.md",
               about + "\n\n" + summary_of(comparisons) + "\n\n" + markdown_table(table));
    write_file(folder / "targets.svg",
               draw_ratios(comparisons, "How many times better than its peers", about));
    std::set<std::string> names{"targets"};
    for (const BarChart& chart : charts_of(comparisons, about)) {
        std::string name = file_name(chart.title);
        if (!names.insert(name).second)
            name += '_' + file_name(chart.axis);
        write_file(folder / (name + ".svg"), draw(chart));
    }
}

} // namespace

int main(int count, char** arguments) {
    try {
        Samples portable;
        Samples native;
        Samples* to = &portable;
        std::filesystem::path folder;
        for (int i = 1; i < count; ++i) {
            const std::string argument = arguments[i];
            if (argument == "--native") {
                to = &native;
            } else if (argument == "--output" && i + 1 < count) {
                folder = arguments[++i];
            } else if (argument.starts_with("--")) {
                std::cerr << "usage: report [--output FOLDER] FILE... [--native FILE...]\n";
                return 2;
            } else {
                std::ifstream file(argument);
                if (!file)
                    throw std::runtime_error("cannot read " + argument);
                to->read(file, argument);
            }
        }
        const std::vector<Comparison> comparisons = compare(portable.all(), native.all());
        const std::vector<TableLine> table = table_of(comparisons);
        std::cout << text_table(table) << '\n' << summary_of(comparisons) << '\n';
        if (!folder.empty())
            write_all(folder, comparisons, table);
    } catch (const std::exception& error) {
        std::cerr << "report: " << error.what() << '\n';
        return 1;
    }
    return 0;
}
