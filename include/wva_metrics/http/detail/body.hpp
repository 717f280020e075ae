// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <boost/beast/core/buffer_traits.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/optional/optional.hpp>
#include <boost/system/error_code.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace wva_metrics::http::detail {

/// A body for Beast's parser that grows as its bytes arrive. Beast's `string_body` reserves the
/// length that the header announces, which may be any for a streamed body.
struct GrowingBody {
    using value_type = std::string;

    /// Meets Beast's requirements of BodyReader.
    class reader {
    public:
        template <typename Header>
        reader(Header&, value_type& body) : body_(body) {}

        void init(const boost::optional<std::uint64_t>& length, boost::system::error_code& error) {
            constexpr std::uint64_t most = std::uint64_t{64} << 10;
            if (length)
                body_.reserve(static_cast<std::size_t>(std::min(*length, most)));
            error = {};
        }

        template <typename Buffers>
        std::size_t put(const Buffers& buffers, boost::system::error_code& error) {
            for (const auto buffer : boost::beast::buffers_range_ref(buffers))
                body_.append(static_cast<const char*>(buffer.data()), buffer.size());
            error = {};
            return boost::beast::buffer_bytes(buffers);
        }

        void finish(boost::system::error_code& error) { error = {}; }

    private:
        value_type& body_;
    };
};

} // namespace wva_metrics::http::detail
