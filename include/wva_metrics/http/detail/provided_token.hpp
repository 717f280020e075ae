// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/error.hpp"
#include "wva_metrics/format_duration.hpp"
#include "wva_metrics/http/bearer_token.hpp"
#include "wva_metrics/http/credentials.hpp"
#include "wva_metrics/http/detail/wakeable.hpp"
#include "wva_metrics/reading.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace wva_metrics::http::detail {

/// The token of a token provider, and the one question to the provider that may be pending.
/// Thread-safe; does no I/O, and time is passed in.
///
/// A token is renewed shortly before it expires, while calls go on with it. Without a valid token
/// all calls wait for the same answer.
class ProvidedToken {
public:
    /// The provider is not asked again for so long after it has failed, or has returned a rejected
    /// token once more: a broken provider must not be asked by every request.
    static constexpr Duration pause = std::chrono::seconds(1);
    /// How long before its expiry a token is renewed; a tenth of its life if that is shorter.
    static constexpr Duration renewal = std::chrono::seconds(30);
    /// Calls of the provider that may run at a time. More than one run only if it did not return in
    /// time and ignores cancellation.
    static constexpr std::size_t max_running = 2;

    /// One call of the provider.
    struct Question {
        TimePoint deadline;
        bool is_over = false;
        std::unordered_set<Wakeable*> waiters;
        /// Cancels the provider's coroutine.
        std::function<void()> cancel;
    };
    using QuestionPtr = std::shared_ptr<Question>;

    /// What a call has to do. Without value and error it waits for the question.
    struct Step {
        /// The value of the header.
        std::optional<std::string> value{};
        std::optional<Error> error{};
        QuestionPtr question{};
        /// The provider must be called for the question, and `answer` with its result.
        bool must_ask = false;
    };

    /// `patience`: how long the provider may take.
    explicit ProvidedToken(Duration patience) : patience_(patience) {}

    Step next(TimePoint now) {
        const std::lock_guard lock(mutex_);
        if (pending_ && now >= pending_->deadline)
            give_up(now);
        Step step;
        if (!value_.empty() && now < expires_at_)
            step.value = value_;
        if (step.value && now < renew_at_)
            return step;
        step.must_ask = !pending_ && now >= next_question_ && running_ < max_running;
        if (step.must_ask) {
            pending_ = std::make_shared<Question>();
            pending_->deadline = now + patience_;
            ++running_;
        }
        step.question = pending_;
        if (!step.value && !pending_)
            step.error = running_ < max_running ? *last_error_ : busy_error();
        return step;
    }

    /// Says how the provider's coroutine is cancelled.
    void set_cancel(const QuestionPtr& question, std::function<void()> cancel) {
        const std::lock_guard lock(mutex_);
        if (pending_ == question)
            question->cancel = std::move(cancel);
    }

    /// The provider's answer. It is ignored if the question has been given up.
    void answer(const QuestionPtr& question, const Result<BearerToken>& token, TimePoint now) {
        const std::lock_guard lock(mutex_);
        --running_;
        if (pending_ != question)
            return;
        std::optional<Error> problem = accept(token, now);
        // An answer that does not help is not asked for again at once.
        next_question_ = problem || value_ == rejected_ ? now + pause : now;
        if (problem)
            last_error_ = std::move(problem);
        end_question();
    }

    /// Call when the server has answered 401 to this value. Ignored if another token is in use by
    /// now, or if the provider has just returned the same one again.
    void reject(std::string_view value, TimePoint now) {
        const std::lock_guard lock(mutex_);
        if (value != value_ || (value == rejected_ && now < next_question_))
            return;
        rejected_ = value;
        last_error_ = Error(Errc::unauthorized, "the token of the token provider was rejected");
        expires_at_ = now;
        next_question_ = now;
    }

    /// Cancels the pending question if `cancel`, and drops it; its waiters are not woken.
    void close(bool cancel) {
        const std::lock_guard lock(mutex_);
        if (!pending_)
            return;
        if (cancel && pending_->cancel)
            pending_->cancel();
        pending_->cancel = nullptr;
        pending_.reset();
    }

    /// Wakes a call when a question is over, as long as this object lives.
    class Waiter {
    public:
        Waiter(ProvidedToken& token, QuestionPtr question, Wakeable& call)
            : token_(token), question_(std::move(question)), call_(call) {
            const std::lock_guard lock(token_.mutex_);
            question_->waiters.insert(&call_);
        }
        ~Waiter() {
            const std::lock_guard lock(token_.mutex_);
            question_->waiters.erase(&call_);
        }
        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;

        bool is_over() const {
            const std::lock_guard lock(token_.mutex_);
            return question_->is_over;
        }

    private:
        ProvidedToken& token_;
        const QuestionPtr question_;
        Wakeable& call_;
    };

private:
    // The functions below are called with the lock held.

    /// Takes over the token, or returns what is wrong with it.
    std::optional<Error> accept(const Result<BearerToken>& token, TimePoint now) {
        if (!token)
            return token.error();
        if (!Credentials::is_token(token->value()))
            return Error(Errc::internal, "the token provider must return one token of printable "
                                         "ASCII without spaces, at most 64 KiB");
        const Duration life = token->valid_for().value_or(Duration::max());
        if (life <= Duration::zero())
            return Error(Errc::internal, "the token provider returned a token that has expired");
        value_ = "Bearer " + token->value();
        const bool is_endless = life > TimePoint::max() - now;
        expires_at_ = is_endless ? TimePoint::max() : now + life;
        renew_at_ = is_endless ? expires_at_ : expires_at_ - std::min(renewal, life / 10);
        return std::nullopt;
    }

    void give_up(TimePoint now) {
        last_error_ = Error(Errc::timeout, "the token provider returned nothing within " +
                                               format_duration(patience_) + " (timeouts.token)");
        if (pending_->cancel)
            pending_->cancel();
        next_question_ = now + pause;
        end_question();
    }

    void end_question() {
        pending_->is_over = true;
        pending_->cancel = nullptr;
        // Under the lock, because a waiter may be destroyed right after it.
        for (Wakeable* call : pending_->waiters)
            call->post_wake();
        pending_.reset();
    }

    static Error busy_error() {
        return Error(Errc::timeout, "the token provider has not returned from its last " +
                                        std::to_string(max_running) +
                                        " calls, and ignores that they were cancelled");
    }

    const Duration patience_;
    std::mutex mutex_;
    std::string value_;
    TimePoint expires_at_{};
    TimePoint renew_at_{};
    /// The last value that the server rejected.
    std::string rejected_;
    TimePoint next_question_ = TimePoint::min();
    std::optional<Error> last_error_;
    QuestionPtr pending_;
    std::size_t running_ = 0;
};

} // namespace wva_metrics::http::detail
