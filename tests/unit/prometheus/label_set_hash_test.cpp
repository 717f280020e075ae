// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/prometheus/detail/label_set_hash.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

using namespace wva_metrics;
using prometheus::detail::hash_of;
using prometheus::detail::LabelSetHash;

TEST_CASE("the hash of a label set does not depend on the order of its labels") {
    const samples::LabelView a{"pod", "p"};
    const samples::LabelView b{"engine", "0"};
    LabelSetHash forth = hash_of(a);
    forth += hash_of(b);
    LabelSetHash back = hash_of(b);
    back += hash_of(a);
    CHECK(forth == back);
    forth -= hash_of(a);
    CHECK(forth == hash_of(b));
    CHECK(hash_of({"pod", ""}) == LabelSetHash());
}

TEST_CASE("labels that differ in any byte, in a length or in what is the name have other hashes") {
    std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
    std::set<std::uint64_t> halves;
    std::size_t count = 0;
    const auto add = [&](const std::string& name, const std::string& value) {
        const LabelSetHash hash = hash_of({name, value});
        seen.emplace(hash.low, hash.high);
        halves.insert(hash.low);
        halves.insert(hash.high);
        ++count;
    };
    const std::string text = "llama-3-1-8b-instruct-a100-7d9f8b6c5d-zx81q";
    for (std::size_t size = 1; size < text.size(); ++size) {
        add(text.substr(0, size), text.substr(size));
        add("pod", text.substr(0, size));
        add("pod", std::string(size, '\0'));
        for (std::size_t bit = 0; bit < 8; ++bit) {
            std::string changed = text;
            changed[size] = static_cast<char>(changed[size] ^ (1 << bit));
            add("pod", changed);
        }
    }
    CHECK(seen.size() == count);
    CHECK(halves.size() == 2 * count);
}
