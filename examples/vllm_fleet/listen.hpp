// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "options.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/system_error.hpp>

#include <charconv>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <system_error>

namespace vllm_fleet {

inline boost::asio::ip::tcp::endpoint parse_address(const std::string& option,
                                                    const std::string& address) {
    const std::size_t colon = address.rfind(':');
    std::string host = address.substr(0, colon);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']')
        host = host.substr(1, host.size() - 2);
    boost::system::error_code error;
    const auto ip = boost::asio::ip::make_address(host, error);
    boost::asio::ip::port_type port = 0;
    bool is_port = false;
    if (colon != std::string::npos) {
        const char* const end = address.data() + address.size();
        const auto [stop, failure] = std::from_chars(address.data() + colon + 1, end, port);
        is_port = failure == std::errc{} && stop == end;
    }
    if (error || !is_port)
        throw UsageError(option + ": '" + address +
                         "' is not an IP address and port, e.g. 127.0.0.1:8000");
    return {ip, port};
}

/// Calls `open` with the endpoint. If that fails, throws an error that names the option and the
/// address.
template <typename Function>
void listen(const std::string& option, const std::string& address, Function open) {
    try {
        open(parse_address(option, address));
    } catch (const boost::system::system_error& error) {
        const bool is_in_use = error.code() == boost::asio::error::address_in_use;
        throw std::runtime_error(option + ": cannot listen on " + address + ": " +
                                 error.code().message() +
                                 (is_in_use ? "; port 0 is any free port" : ""));
    }
}

} // namespace vllm_fleet
