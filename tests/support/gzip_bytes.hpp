// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <zlib.h>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace wva_metrics::test_support {

/// Compresses the text to gzip with one member.
inline std::string gzip(std::string_view text, int level = Z_BEST_COMPRESSION) {
    z_stream stream{};
    if (deflateInit2_(&stream, level, Z_DEFLATED, 16 + MAX_WBITS, 9, Z_DEFAULT_STRATEGY,
                      ZLIB_VERSION, static_cast<int>(sizeof(stream))) != Z_OK)
        throw std::runtime_error("zlib cannot compress");
    std::string compressed(deflateBound(&stream, text.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
    stream.avail_out = static_cast<uInt>(compressed.size());
    const int verdict = deflate(&stream, Z_FINISH);
    compressed.resize(stream.total_out);
    deflateEnd(&stream);
    if (verdict != Z_STREAM_END)
        throw std::runtime_error("zlib did not compress");
    return compressed;
}

} // namespace wva_metrics::test_support
