// SPDX-License-Identifier: Apache-2.0
#include "wva_metrics/http/gzip.hpp"

#include "support/gzip_bytes.hpp"

#include <catch2/catch_all.hpp>

#include <cstddef>
#include <memory>
#include <random>
#include <string>

using namespace wva_metrics;
using test_support::gzip;

namespace {

const std::shared_ptr<const http::Decompressor> decompressor = http::make_gzip_decompressor();

constexpr std::size_t roomy = std::size_t{1} << 20;

/// Text that compresses about as well as an answer of Prometheus.
std::string words(std::size_t bytes, unsigned seed) {
    std::mt19937 random(seed);
    std::string text;
    while (text.size() < bytes)
        text += "\"vllm:metric\":" + std::to_string(random()) + ",";
    text.resize(bytes);
    return text;
}

Errc error_of(const std::string& compressed, std::size_t max_bytes = roomy) {
    const Result<std::string> text = decompressor->decompress(compressed, max_bytes);
    REQUIRE_FALSE(text.has_value());
    CAPTURE(text.error().message);
    CHECK(text.error().message.starts_with("a gzip body"));
    return static_cast<Errc>(text.error().code.value());
}

} // namespace

TEST_CASE("a body compressed by gzip is restored, whatever its size and level") {
    CHECK(decompressor->coding() == "gzip");
    for (const std::size_t bytes : {0U, 1U, 2U, 100U, 16'384U, 65'536U, 1'000'000U}) {
        for (const int level : {Z_NO_COMPRESSION, Z_BEST_SPEED, Z_BEST_COMPRESSION}) {
            CAPTURE(bytes, level);
            const std::string text = words(bytes, static_cast<unsigned>(bytes));
            CHECK(decompressor->decompress(gzip(text, level), roomy).value() == text);
        }
    }
    const std::string zeros(1'000'000, '\0');
    CHECK(decompressor->decompress(gzip(zeros), roomy).value() == zeros);
}

TEST_CASE("a gzip body of exactly the limit is read, and one byte more is rejected") {
    const std::string compressed = gzip(words(10'000, 1));
    CHECK(decompressor->decompress(compressed, 10'000).value().size() == 10'000);
    CHECK(error_of(compressed, 9'999) == Errc::too_large);
    CHECK(error_of(compressed, 0) == Errc::too_large);
}

TEST_CASE("a gzip bomb is rejected, whatever size it announces") {
    const std::string bomb = gzip(std::string(std::size_t{64} << 20, '\0'));
    REQUIRE(bomb.size() < 100'000);
    CHECK(error_of(bomb) == Errc::too_large);

    // The last four bytes announce the uncompressed size.
    std::string liar = bomb;
    liar.replace(liar.size() - 4, 4, std::string("\x10\0\0\0", 4));
    CHECK(error_of(liar) == Errc::bad_response);
    std::string boaster = gzip("small");
    boaster.replace(boaster.size() - 4, 4, "\xff\xff\xff\xff");
    CHECK(error_of(boaster) == Errc::bad_response);
    // A possible size, but not the right one.
    std::string exaggerator = gzip("small");
    exaggerator.replace(exaggerator.size() - 4, 4, std::string("\x06\0\0\0", 4));
    CHECK(error_of(exaggerator) == Errc::bad_response);
}

TEST_CASE("a truncated gzip body is rejected, wherever it was cut") {
    const std::string compressed = gzip(words(300, 2));
    for (std::size_t bytes = 1; bytes < compressed.size(); ++bytes) {
        CAPTURE(bytes);
        CHECK(error_of(compressed.substr(0, bytes)) == Errc::bad_response);
    }
}

TEST_CASE("a gzip body with one flipped bit is rejected, or decompresses to the same text") {
    const std::string text = words(200, 3);
    const std::string compressed = gzip(text);
    std::size_t rejected = 0;
    for (std::size_t bit = 0; bit < compressed.size() * 8; ++bit) {
        std::string damaged = compressed;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
        const Result<std::string> result = decompressor->decompress(damaged, roomy);
        if (!result)
            ++rejected;
        else
            CHECK(*result == text);
    }
    // Only the time, the system and the compressor's hints in the header do not matter.
    CHECK(rejected > (compressed.size() - 10) * 8);
}

TEST_CASE("anything that is not exactly one gzip body is rejected") {
    const std::string compressed = gzip("text");
    CHECK(error_of("text, which was never compressed") == Errc::bad_response);
    CHECK(error_of("x") == Errc::bad_response);
    CHECK(error_of(compressed + "x") == Errc::bad_response);
    CHECK(error_of(compressed + compressed) == Errc::bad_response);
    // zlib's own format, and compressed twice.
    CHECK(error_of("\x78\x9c\x2b\x49\xad\x28\x01\x00\x04\x5d\x01\xc1") == Errc::bad_response);
    CHECK(decompressor->decompress(gzip(compressed), roomy).value() == compressed);
}
