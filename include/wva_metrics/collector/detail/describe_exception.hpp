// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <string>

namespace wva_metrics::detail {

/// The exception of a backend, or of what `who` names, as an error.
inline Error describe_exception(const std::exception_ptr& failure,
                                const std::string& who = "the backend") {
    try {
        std::rethrow_exception(failure);
    } catch (const ResultError& error) {
        return error.error();
    } catch (const boost::system::system_error& error) {
        if (error.code() == boost::asio::error::operation_aborted)
            return Error(Errc::aborted, "the backend's operation was cancelled");
        return Error(Errc::internal, who + " threw an exception: " + error.what());
    } catch (const std::exception& error) {
        return Error(Errc::internal, who + " threw an exception: " + error.what());
    } catch (...) {
        return Error(Errc::internal, who + " threw a non-standard exception");
    }
}

/// What `make()` returns, a `Result`; its error if it throws.
auto result_or_exception(auto&& make, const char* who) -> decltype(make()) {
    try {
        return make();
    } catch (...) {
        return describe_exception(std::current_exception(), who);
    }
}

} // namespace wva_metrics::detail
