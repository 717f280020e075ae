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

/// Decompresses gzip (RFC 1952, of one member, as servers send it) by zlib. Made by
/// `make_gzip_decompressor`.
class GzipDecompressor final : public Decompressor {
public:
    std::string_view coding() const noexcept override { return "gzip"; }

    Result<std::string> decompress(std::string_view compressed,
                                   std::size_t max_bytes) const override {
        constexpr std::size_t most = std::numeric_limits<uInt>::max() - 1;
        if (compressed.size() > most)
            return Error(Errc::too_large, "a gzip body exceeds 4 GiB");
        // No deflated byte becomes more than 1032: so a lie about the size costs us no memory.
        const std::uint64_t promised =
            std::min(promised_size(compressed), std::uint64_t{1032} * compressed.size());
        // One byte more than there may be, to tell what fills it from what exceeds it.
        std::string text(
            static_cast<std::size_t>(std::min<std::uint64_t>({promised, max_bytes, most})) + 1,
            '\0');
        Inflation inflation;
        z_stream& stream = inflation.stream;
        // zlib reads it only; its interface is older than const.
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
        stream.avail_in = static_cast<uInt>(compressed.size());
        stream.next_out = reinterpret_cast<Bytef*>(text.data());
        stream.avail_out = static_cast<uInt>(text.size());
        const int verdict = inflate(&stream, Z_FINISH);

        if (verdict == Z_MEM_ERROR)
            throw std::bad_alloc();
        if (verdict == Z_NEED_DICT || verdict == Z_DATA_ERROR)
            return bad(stream.msg == nullptr ? "it is corrupt" : stream.msg);
        if (stream.avail_out == 0) {
            if (promised < max_bytes)
                return bad("it holds more than it promises");
            return Error(Errc::too_large,
                         "a gzip body becomes larger than " + std::to_string(max_bytes) + " bytes");
        }
        if (verdict != Z_STREAM_END)
            return bad("it is truncated");
        if (stream.avail_in > 0)
            return bad("something follows it");
        text.resize(text.size() - stream.avail_out);
        return text;
    }

private:
    /// zlib's state, released whatever happens.
    struct Inflation {
        Inflation() {
            // The macro holds a cast in the style of C. 16 = gzip and nothing else.
            if (inflateInit2_(&stream, 16 + MAX_WBITS, ZLIB_VERSION,
                              static_cast<int>(sizeof(stream))) != Z_OK)
                throw std::bad_alloc();
        }
        ~Inflation() { inflateEnd(&stream); }
        Inflation(const Inflation&) = delete;
        Inflation& operator=(const Inflation&) = delete;

        z_stream stream{};
    };

    /// The size that a body says it will have, in its last four bytes.
    static std::uint64_t promised_size(std::string_view compressed) {
        std::uint64_t size = 0;
        for (std::size_t i = 1; i <= 4 && i <= compressed.size(); ++i)
            size = size << 8 | static_cast<unsigned char>(compressed[compressed.size() - i]);
        return size;
    }

    static Error bad(const std::string& why) {
        return {Errc::bad_response, "a gzip body cannot be decompressed: " + why};
    }
};

/// Makes what `ClientConfig::decompressor` needs for servers that compress by gzip.
inline std::shared_ptr<const Decompressor> make_gzip_decompressor() {
    return std::make_shared<GzipDecompressor>();
}

} // namespace wva_metrics::http
