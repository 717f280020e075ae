// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"

#include <boost/system/errc.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <string>

namespace wva_metrics::detail {

/// The error of what failed because memory was short. So short a text needs none.
inline Error out_of_memory(Errc code = Errc::internal) noexcept {
    return Error(code, "out of memory");
}

/// An error with this text, or if memory is short without it.
inline Error error_with(Errc code, const char* text) noexcept {
    try {
        return Error(code, text);
    } catch (...) {
        return out_of_memory(code);
    }
}

/// This error, or if memory is short its code without the texts.
inline Error copy_of(const Error& error) noexcept {
    try {
        return error;
    } catch (...) {
        Error without_texts = out_of_memory();
        without_texts.code = error.code;
        return without_texts;
    }
}

/// The error of a result that has one, or if memory is short an error without its texts and code.
template <typename T>
Error error_of(const Result<T>& result) noexcept {
    try {
        return result.error();
    } catch (...) {
        return out_of_memory();
    }
}

/// The exception of a backend, or of what `who` names, as an error. May throw if memory is short.
inline Error describe_with_memory(const std::exception_ptr& failure, const char* who) {
    try {
        std::rethrow_exception(failure);
    } catch (const ResultError& error) {
        return error.error();
    } catch (const boost::system::system_error& error) {
        if (error.code() == boost::system::errc::operation_canceled)
            return Error(Errc::aborted, "the backend's operation was cancelled");
        return Error(Errc::internal, std::string(who) + " threw an exception: " + error.what());
    } catch (const std::exception& error) {
        return Error(Errc::internal, std::string(who) + " threw an exception: " + error.what());
    } catch (...) {
        return Error(Errc::internal, std::string(who) + " threw a non-standard exception");
    }
}

/// The exception of a backend, or of what `who` names, as an error.
inline Error describe_exception(const std::exception_ptr& failure,
                                const char* who = "the backend") noexcept {
    try {
        return describe_with_memory(failure, who);
    } catch (...) {
        return out_of_memory();
    }
}

/// What `make()` returns, a `Result`; its error if it throws.
auto result_or_exception(auto&& make, const char* who) noexcept -> decltype(make()) {
    try {
        return make();
    } catch (...) {
        return describe_exception(std::current_exception(), who);
    }
}

} // namespace wva_metrics::detail
