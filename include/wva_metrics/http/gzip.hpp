// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/http/decompressor.hpp"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::http {

/// Decompresses gzip (RFC 1952, one member, as servers send it) with zlib. Made by
/// `make_gzip_decompressor`.
class GzipDecompressor final : public Decompressor {
public:
    std::string_view coding() const noexcept override { return "gzip"; }

    Result<std::string> decompress(std::string_view compressed,
                                   std::size_t max_bytes) const override {
        constexpr std::size_t most = std::numeric_limits<uInt>::max() - 1;
        if (compressed.size() > most)
            return Error(Errc::too_large, "a gzip body exceeds 4 GiB");
        // One deflated byte becomes at most 1032, so a false size cannot make us allocate more.
        const std::uint64_t announced =
            std::min(announced_size(compressed), std::uint64_t{1032} * compressed.size());
        // One byte more than allowed, to distinguish a full buffer from an overflow.
        std::string text(
            static_cast<std::size_t>(std::min<std::uint64_t>({announced, max_bytes, most})) + 1,
            '\0');
        Inflation inflation;
        z_stream& stream = inflation.stream;
        // zlib only reads it, but its interface has no const.
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
        stream.avail_in = static_cast<uInt>(compressed.size());
        stream.next_out = reinterpret_cast<Bytef*>(text.data());
        stream.avail_out = static_cast<uInt>(text.size());
        const int result = inflate(&stream, Z_FINISH);

        if (result == Z_MEM_ERROR)
            throw std::bad_alloc();
        if (result == Z_NEED_DICT || result == Z_DATA_ERROR)
            return bad(stream.msg == nullptr ? "it is corrupt" : stream.msg);
        if (stream.avail_out == 0) {
            if (announced < max_bytes)
                return bad("it is larger than its announced size");
            return Error(Errc::too_large, "a gzip body exceeds " + std::to_string(max_bytes) +
                                              " bytes when decompressed");
        }
        if (result != Z_STREAM_END)
            return bad("it is truncated");
        if (stream.avail_in > 0)
            return bad("other bytes follow it");
        text.resize(text.size() - stream.avail_out);
        return text;
    }

private:
    /// zlib's state.
    struct Inflation {
        Inflation() {
            // Not by zlib's macro, which contains a C-style cast. 16 = only gzip is accepted.
            if (inflateInit2_(&stream, 16 + MAX_WBITS, ZLIB_VERSION,
                              static_cast<int>(sizeof(stream))) != Z_OK)
                throw std::bad_alloc();
        }
        ~Inflation() { inflateEnd(&stream); }
        Inflation(const Inflation&) = delete;
        Inflation& operator=(const Inflation&) = delete;

        z_stream stream{};
    };

    /// The uncompressed size, from the last four bytes of a body.
    static std::uint64_t announced_size(std::string_view compressed) {
        std::uint64_t size = 0;
        for (std::size_t i = 1; i <= 4 && i <= compressed.size(); ++i)
            size = size << 8 | static_cast<unsigned char>(compressed[compressed.size() - i]);
        return size;
    }

    static Error bad(const std::string& reason) {
        return {Errc::bad_response, "a gzip body cannot be decompressed: " + reason};
    }
};

/// Makes a decompressor of gzip for `ClientConfig::decompressor`.
inline std::shared_ptr<const Decompressor> make_gzip_decompressor() {
    return std::make_shared<GzipDecompressor>();
}

} // namespace wva_metrics::http
