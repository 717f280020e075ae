// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/samples/view.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string_view>

namespace wva_metrics::prometheus::detail {

/// A hash of a set of labels: the sum of the hashes of its labels, so that it does not depend on
/// their order, and one label can be exchanged. A label with an empty value adds nothing, because
/// Prometheus does not distinguish it from a label that is not there.
///
/// 128 bits: that two different sets of an answer have the same hash is out of the question.
struct LabelSetHash {
    std::uint64_t low = 0;
    std::uint64_t high = 0;

    LabelSetHash& operator+=(const LabelSetHash& label) noexcept {
        low += label.low;
        high += label.high;
        return *this;
    }
    LabelSetHash& operator-=(const LabelSetHash& label) noexcept {
        low -= label.low;
        high -= label.high;
        return *this;
    }
    friend bool operator==(const LabelSetHash&, const LabelSetHash&) = default;
};

/// Two hashes of a text, mixed from 8 bytes at a time with the constants of MurmurHash3.
class LabelHasher {
public:
    /// Starts from numbers that differ from process to process, so that nobody who may choose a
    /// label's value can prepare two series with the same hash.
    LabelHasher() : state_(seed()) {}

    void add(std::string_view text) noexcept {
        mix(text.size());
        for (; text.size() > sizeof(std::uint64_t); text.remove_prefix(sizeof(std::uint64_t)))
            mix(word_of(text));
        mix(word_of(text));
    }
    LabelSetHash hash() const noexcept { return {finished(state_.low), finished(state_.high)}; }

private:
    static const LabelSetHash& seed() {
        static const LabelSetHash chosen = [] {
            std::random_device random;
            const auto word = [&random] { return std::uint64_t{random()} << 32U | random(); };
            const std::uint64_t low = word();
            return LabelSetHash{low, word()};
        }();
        return chosen;
    }
    /// The first 8 bytes; of a shorter text, all. Texts of one size never have the same word unless
    /// their bytes are the same. (A `memcpy` of any number of bytes would be a call.)
    static std::uint64_t word_of(std::string_view text) noexcept {
        const std::size_t size = text.size();
        if (size >= sizeof(std::uint64_t))
            return load<std::uint64_t>(text.data());
        if (size >= sizeof(std::uint32_t))
            return load<std::uint32_t>(text.data()) |
                   load<std::uint32_t>(text.data() + size - sizeof(std::uint32_t)) << 32U;
        const auto byte = [text](std::size_t at) {
            return std::uint64_t{static_cast<unsigned char>(text[at])};
        };
        return size == 0 ? 0 : byte(0) | byte(size / 2) << 8U | byte(size - 1) << 16U;
    }
    template <typename Word>
    static std::uint64_t load(const char* from) noexcept {
        Word word = 0;
        std::memcpy(&word, from, sizeof word);
        return word;
    }
    static std::uint64_t finished(std::uint64_t state) noexcept {
        state = (state ^ (state >> 33U)) * 0xff51afd7ed558ccdU;
        state = (state ^ (state >> 33U)) * 0xc4ceb9fe1a85ec53U;
        return state ^ (state >> 33U);
    }
    void mix(std::uint64_t word) noexcept {
        state_.low = finished(state_.low ^ word);
        state_.high =
            std::rotl(state_.high ^ (word * 0x87c37b91114253d5U), 31) * 0x4cf5ad432745937fU;
        state_.high += state_.low;
    }

    LabelSetHash state_;
};

inline LabelSetHash hash_of(const samples::LabelView& label) {
    if (label.value.empty())
        return {};
    LabelHasher hasher;
    hasher.add(label.name);
    hasher.add(label.value);
    return hasher.hash();
}

/// For a hash table: the hash is already mixed.
struct HashOfHash {
    using is_avalanching = void;
    std::size_t operator()(const LabelSetHash& hash) const noexcept {
        return static_cast<std::size_t>(hash.low);
    }
};

} // namespace wva_metrics::prometheus::detail
