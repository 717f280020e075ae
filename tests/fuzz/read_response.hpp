// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/http/detail/response_reader.hpp"

#include "fuzz/properties.hpp"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wva_metrics::fuzz {

using http::detail::BodyMode;

/// What was read of an answer.
struct ReadResponse {
    /// None if the answer was complete.
    std::optional<Error> error;
    /// Only if it was.
    http::Response response;
    /// What the sink was given.
    std::string delivered;
    bool is_reusable = false;
};

inline std::string describe(const ReadResponse& read) {
    return read.error ? read.error->describe() : "complete";
}

inline bool is_same(const http::Response& one, const http::Response& other) {
    return one.status == other.status && one.content_type == other.content_type &&
           one.body == other.body && one.retry_after == other.retry_after &&
           one.location == other.location && one.ended_by_close == other.ended_by_close;
}

/// Reads an answer that arrives in these pieces, after which the server closes the connection.
inline ReadResponse read_response(const http::Limits& limits, BodyMode mode,
                                  const http::Decompressor* decompressor,
                                  const std::vector<std::string>& pieces) {
    using http::detail::ResponseReader;
    ResponseReader reader(limits, mode, decompressor);
    ReadResponse read;
    const auto deliver = [&] {
        if (reader.is_delivering()) {
            read.delivered += reader.piece();
            reader.drop_piece();
        }
    };
    Result<ResponseReader::Progress> progress = ResponseReader::Progress::need_more;
    const auto wants_more = [&] {
        return progress.has_value() && *progress == ResponseReader::Progress::need_more;
    };
    for (const std::string& piece : pieces) {
        for (std::string_view left = piece; !left.empty() && wants_more();) {
            const auto space = reader.prepare();
            expect(space.size() > 0, "no space for the next bytes");
            expect(space.size() <= limits.max_buffer_bytes, "a buffer above its limit");
            const std::size_t size = std::min(left.size(), space.size());
            std::memcpy(space.data(), left.data(), size);
            left.remove_prefix(size);
            progress = reader.commit(size);
            deliver();
        }
    }
    if (wants_more()) {
        progress = reader.finish();
        deliver();
    }
    if (progress.has_error()) {
        read.error = progress.error();
        return read;
    }
    expect(!wants_more(), "an answer that never ends");
    read.is_reusable = reader.is_reusable();
    read.response = reader.take();
    return read;
}

} // namespace wva_metrics::fuzz
