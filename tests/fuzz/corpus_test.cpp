// SPDX-License-Identifier: Apache-2.0

#include "fuzz/target.hpp"

#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::fuzz {
namespace {

namespace fs = std::filesystem;

const fs::path corpus = fs::path(__FILE__).parent_path() / "corpus";

std::vector<fs::path> entries_of(const fs::path& folder) {
    std::vector<fs::path> entries;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
        entries.push_back(entry.path());
    std::sort(entries.begin(), entries.end());
    return entries;
}

std::string content_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

TEST_CASE("each input of the corpus keeps the promises of its target") {
    for (const Target& target : targets()) {
        for (const fs::path& file : entries_of(corpus / target.name)) {
            CAPTURE(file);
            CHECK_NOTHROW(target.run(content_of(file)));
        }
    }
}

TEST_CASE("so does each small input of the corpus, cut at every byte") {
    constexpr std::size_t small = 400;
    for (const Target& target : targets()) {
        for (const fs::path& file : entries_of(corpus / target.name)) {
            const std::string content = content_of(file);
            for (std::size_t size = 0; size < content.size() && content.size() <= small; ++size) {
                CAPTURE(file, size);
                // A copy of its own, so that AddressSanitizer finds a read behind its end.
                CHECK_NOTHROW(target.run(std::string(content, 0, size)));
            }
        }
    }
}

} // namespace
} // namespace wva_metrics::fuzz
