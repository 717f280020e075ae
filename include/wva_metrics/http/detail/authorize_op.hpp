// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/clean_text.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/http/bearer_token.hpp"
#include "wva_metrics/http/credentials.hpp"
#include "wva_metrics/http/detail/call.hpp"
#include "wva_metrics/http/detail/deadline.hpp"
#include "wva_metrics/http/detail/endpoint.hpp"
#include "wva_metrics/http/detail/provided_token.hpp"
#include "wva_metrics/http/transport.hpp"
#include "wva_metrics/reading.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace wva_metrics::http::detail {

/// Finds the value of a call's `Authorization` header. On the call's strand; the endpoint and the
/// call must outlive the operation.
template <typename Executor>
class AuthorizeOp {
public:
    AuthorizeOp(const std::shared_ptr<Endpoint<Executor>>& endpoint, Call<Executor>& call,
                const Deadline& deadline)
        : endpoint_(endpoint), call_(call), deadline_(deadline) {}

    /// The value, or why there is none; nothing if `wait` must be awaited.
    std::optional<Result<std::string>> find(TimePoint time) {
        if (!has_provider()) {
            Result<std::string> value = endpoint_->credentials.authorization(time);
            if (!value)
                return with_endpoint(value.error());
            return value;
        }
        ProvidedToken::Step step = endpoint_->provided_token.next(time);
        question_ = step.question;
        if (step.must_ask)
            ask();
        if (step.error)
            return with_endpoint(*std::move(step.error));
        if (step.value)
            return *std::move(step.value);
        return std::nullopt;
    }

    /// Waits for the token provider.
    asio::awaitable<Result<std::string>> wait() {
        for (;;) {
            const ProvidedToken::Waiter waiter(endpoint_->provided_token, question_, call_);
            endpoint_->calls->expire_at(call_, std::min(deadline_.at, question_->deadline));
            while (!waiter.is_over() && !call_.is_stopped())
                co_await call_.wait();
            if (call_.is_aborted())
                co_return endpoint_->aborted_error();
            if (deadline_.at <= now())
                co_return endpoint_->error(Errc::timeout, "the token provider returned no token " +
                                                              deadline_.describe());
            if (std::optional<Result<std::string>> found = find(now()))
                co_return *std::move(found);
        }
    }

    /// Call when the server has answered 401 to this value.
    void reject(std::string_view value) {
        if (has_provider())
            endpoint_->provided_token.reject(value, now());
        else
            endpoint_->credentials.reject(value);
    }

private:
    static TimePoint now() { return std::chrono::steady_clock::now(); }

    bool has_provider() const {
        return endpoint_->config.credentials.kind() == Credentials::Kind::bearer_provider;
    }

    Error with_endpoint(Error error) const {
        error.endpoint = endpoint_->url.origin();
        return error;
    }

    /// Calls the provider, on a strand of its own: it may take longer than this call.
    void ask() {
        const std::optional<Executor> executor = endpoint_->executor();
        if (!executor)
            return;
        const auto strand = asio::make_strand(*executor);
        const auto signal = std::make_shared<asio::cancellation_signal>();
        endpoint_->provided_token.set_cancel(question_, [strand, signal] {
            asio::post(strand, [signal] { signal->emit(asio::cancellation_type::terminal); });
        });
        // The provider is part of the endpoint's configuration, which must outlive its coroutine.
        asio::co_spawn(
            strand, [endpoint = endpoint_] { return endpoint->config.credentials.provider()(); },
            asio::bind_cancellation_slot(
                signal->slot(), [endpoint = endpoint_, question = question_,
                                 signal](std::exception_ptr thrown, Result<BearerToken> token) {
                    if (thrown)
                        token = thrown_error(thrown);
                    else if (!token)
                        token = described(token.error());
                    endpoint->provided_token.answer(question, token, now());
                }));
    }

    static constexpr std::size_t longest_reason = 200;

    static Error described(Error error) {
        error.message = "the token provider failed: " +
                        wva_metrics::detail::clean_text(error.message, longest_reason);
        return error;
    }
    static Error thrown_error(const std::exception_ptr& thrown) {
        std::string reason = "a non-standard exception";
        try {
            std::rethrow_exception(thrown);
        } catch (const std::exception& error) {
            reason = wva_metrics::detail::clean_text(error.what(), longest_reason);
        } catch (...) {
        }
        return Error(Errc::internal, "the token provider threw: " + reason);
    }

    const std::shared_ptr<Endpoint<Executor>>& endpoint_;
    Call<Executor>& call_;
    const Deadline& deadline_;
    /// What the call waits for.
    ProvidedToken::QuestionPtr question_;
};

} // namespace wva_metrics::http::detail
