// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wva_metrics/detail/context_hook.hpp"
#include "wva_metrics/error.hpp"
#include "wva_metrics/kubernetes/client.hpp"
#include "wva_metrics/kubernetes/detail/api_target.hpp"
#include "wva_metrics/kubernetes/detail/held_bytes.hpp"
#include "wva_metrics/kubernetes/detail/reflector_progress.hpp"
#include "wva_metrics/kubernetes/detail/reflector_run.hpp"
#include "wva_metrics/kubernetes/detail/unreadable_names.hpp"
#include "wva_metrics/kubernetes/detail/watch_slots.hpp"
#include "wva_metrics/kubernetes/reflector_handler.hpp"
#include "wva_metrics/kubernetes/reflector_status.hpp"
#include "wva_metrics/kubernetes/resource.hpp"
#include "wva_metrics/kubernetes/watch_event.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace wva_metrics::kubernetes::detail {

/// The part of a reflector that its pending operations share and that outlives the reflector.
///
/// `WatchMachine` decides the next step, and the coroutine here performs it. The mutex guards what
/// other threads read, and is never held across I/O or a callback.
template <typename T, typename Executor>
class ReflectorImpl : public std::enable_shared_from_this<ReflectorImpl<T, Executor>> {
public:
    ReflectorImpl(BasicClient<Executor> client, Resource<T> resource, Selection selection,
                  ReflectorHandler<T> handler)
        : client_(std::move(client)), resource_(std::move(resource)),
          selection_(std::move(selection)), handler_(std::move(handler)),
          slot_(client_.watch_slots()) {
        if (const std::optional<Executor> executor = client_.find_executor())
            hook_.emplace(*executor, [this] { abandon(); });
    }

    void start() {
        const std::optional<Executor> executor = client_.find_executor();
        const std::lock_guard lock(mutex_);
        if (!executor || progress_.is_running())
            return;
        if (!run_) // Else the last run is still ending, and `on_run_ended` starts the next one.
            begin_run(*executor);
        progress_.set_running();
    }

    void stop() {
        const std::lock_guard lock(mutex_);
        if (!progress_.is_running())
            return;
        progress_.set_stopped();
        run_->is_stopped = true;
        asio::post(run_->strand,
                   [run = run_] { run->cancel.emit(asio::cancellation_type::terminal); });
    }

    ReflectorStatus status() const {
        const std::lock_guard lock(mutex_);
        return progress_.status();
    }

private:
    using Run = ReflectorRun<T, Executor>;
    using RunPtr = std::shared_ptr<Run>;
    using Self = std::shared_ptr<ReflectorImpl>;

    /// Only posts, because the mutex is held. If it throws, no run is in progress.
    void begin_run(const Executor& executor) {
        progress_.begin_run();
        const RunPtr run = std::make_shared<Run>(executor, client_.config());
        asio::post(run->strand, [self = this->shared_from_this(), run] {
            // Called also if the coroutine is destroyed, because Asio has no memory to resume it.
            std::shared_ptr<void> at_end;
            try {
                at_end.reset(self.get(), [self, run](void*) { self->on_run_ended(run); });
                asio::co_spawn(run->strand, follow(self, run),
                               asio::bind_cancellation_slot(
                                   run->cancel.slot(), [at_end](const std::exception_ptr&) {}));
            } catch (...) {
                const std::lock_guard lock(self->mutex_);
                self->end(run);
            }
        });
        run_ = run;
    }

    /// There is no run any more: the reflector can be started again. The caller locks.
    void end(const RunPtr& run) {
        if (run_ != run)
            return;
        run_.reset();
        slot_.release();
        progress_.set_stopped();
    }

    void on_run_ended(const RunPtr& run) noexcept {
        const std::optional<Executor> executor = client_.find_executor();
        const std::lock_guard lock(mutex_);
        try {
            if (run_ == run && progress_.is_running() && executor)
                return begin_run(*executor);
        } catch (...) {
            // `ReflectorStatus::running` says so.
        }
        end(run);
    }

    /// The execution context is being destroyed: drops all that belongs to it.
    void abandon() {
        RunPtr dropped;
        const std::lock_guard lock(mutex_);
        dropped.swap(run_);
        slot_.release();
        progress_.set_stopped();
    }

    static asio::awaitable<void> follow(Self self, RunPtr run) {
        asio::steady_timer timer(run->strand);
        WatchStep step = run->machine.begin();
        while (!run->is_stopped) {
            self->on_step(*run, step);
            if (step.wait > Duration::zero()) {
                timer.expires_after(step.wait);
                co_await timer.async_wait(asio::use_awaitable);
            }
            Error problem;
            try {
                asio::awaitable<WatchStep> next = step.kind == WatchStep::Kind::list
                                                      ? list(self, run, std::move(step))
                                                      : watch(self, run, std::move(step));
                step = co_await std::move(next);
                continue;
            } catch (...) {
                problem = client_threw();
            }
            step = run->machine.on_list_failed(std::move(problem));
        }
    }

    static asio::awaitable<WatchStep> list(Self self, RunPtr run, WatchStep step) {
        // A list is useless if the watch after it has no slot.
        if (!self->slot_.acquire())
            co_return run->machine.on_list_failed(
                self->client_.watch_slots()->exhausted(self->client_.endpoint()));
        if (step.token.empty())
            run->clear_list();
        asio::awaitable<Result<Page<T>>> listing = self->client_.template list<T>(
            self->resource_, self->selection_, std::move(step.token), step.page_size);
        Result<Page<T>> page = co_await std::move(listing);
        if (page.has_error())
            co_return run->machine.on_list_failed(std::move(page).error());

        self->on_contact(page->unreadable.count);
        WatchStep next = run->machine.on_page(run->add_to_list(*std::move(page)));
        if (next.is_list_complete)
            self->deliver_list(*run);
        co_return next;
    }

    static asio::awaitable<WatchStep> watch(Self self, RunPtr run, WatchStep step) {
        std::function<std::optional<Error>(WatchEvent<T>)> on_event =
            [self, run](WatchEvent<T> event) { return self->on_event(*run, std::move(event)); };
        std::function<void()> on_opened = [self, run] {
            if (!run->is_stopped)
                self->on_contact(0);
        };
        asio::awaitable<WatchEnd> watching = self->client_.template watch<T>(
            self->resource_, self->selection_, std::move(step.token), std::move(on_event),
            std::move(on_opened));
        WatchEnd end = co_await std::move(watching);
        if (!end.error)
            self->on_contact(0);
        co_return run->machine.on_watch_ended(std::move(end));
    }

    void deliver_list(Run& run) {
        if (run.unreadable.count > 0)
            notify(run, handler_.on_unreadable, run.unreadable);
        notify(run, handler_.on_listed, std::exchange(run.objects, {}));
        {
            const std::lock_guard lock(mutex_);
            // Not earlier: whoever reads `synced` relies on what the handler has received. A
            // stopped run must not change the status of the run after it.
            if (!run.is_stopped)
                progress_.set_synced();
        }
        report_unreadable(run, run.unreadable.count == 0
                                   ? std::string()
                                   : detail::describe(run.unreadable, describe()));
    }

    /// Returns an error if the watch must end.
    std::optional<Error> on_event(Run& run, WatchEvent<T> event) {
        if (run.is_stopped)
            return Error(Errc::aborted, "the reflector was stopped");
        const bool is_bookmark = event.kind == WatchEventKind::bookmark;
        const bool is_unreadable = !is_bookmark && !event.object;
        on_contact(is_unreadable ? 1 : 0);
        const std::size_t bytes = event.object ? held_bytes(*event.object) : 0;
        if (std::optional<Error> error =
                run.machine.on_event(event.kind, event.resource_version, bytes))
            return with_context(*std::move(error));
        if (is_unreadable) {
            // Only a new list can tell whether there is another object of its name by now.
            if (event.kind == WatchEventKind::deleted)
                return with_context(
                    Error(Errc::bad_response, "a deleted object: " + event.unreadable.problem));
            notify(run, handler_.on_unreadable_change, event.unreadable);
            report_unreadable(run, describe() + ": " + event.unreadable.problem);
        } else if (event.kind == WatchEventKind::deleted) {
            notify(run, handler_.on_deleted, *event.object);
        } else if (!is_bookmark) {
            notify(run, handler_.on_upserted, *std::move(event.object));
        }
        return std::nullopt;
    }

    void on_step(Run& run, WatchStep& step) {
        for (std::optional<Error>* const error : {&step.failure, &step.problem})
            if (*error)
                *error = with_context(**error);
        {
            const std::lock_guard lock(mutex_);
            if (run.is_stopped)
                return;
            progress_.on_step(run.machine, step);
        }
        if (step.problem)
            notify(run, handler_.on_problem, *step.problem);
    }

    /// Says what is followed, and where, if the error does not: if it is not about a request.
    Error with_context(Error error) const {
        if (!error.endpoint.empty())
            return error;
        error.message = "cannot follow " + describe() + ": " + error.message;
        error.endpoint = client_.endpoint();
        return error;
    }

    void on_contact(std::size_t unreadable) {
        const std::lock_guard lock(mutex_);
        progress_.on_contact(unreadable);
    }

    /// `text`: empty if all objects could be read.
    void report_unreadable(Run& run, std::string text) {
        {
            const std::lock_guard lock(mutex_);
            if (!run.is_stopped)
                progress_.set_warning(text);
        }
        if (!text.empty() && run.reported.is_new(text))
            notify(run, handler_.on_problem,
                   Error(Errc::bad_response, std::move(text), client_.endpoint()));
    }

    template <typename Callback, typename Argument>
    void notify(const Run& run, const Callback& callback, Argument&& argument) {
        if (!callback || run.is_stopped)
            return;
        try {
            callback(std::forward<Argument>(argument));
        } catch (...) {
            const std::lock_guard lock(mutex_);
            progress_.on_handler_failure();
        }
    }

    std::string describe() const { return ApiTarget(resource_, selection_).describe(); }

    const BasicClient<Executor> client_;
    const Resource<T> resource_;
    const Selection selection_;
    const ReflectorHandler<T> handler_;
    /// Held while a run is in progress.
    WatchSlots::Slot slot_;
    mutable std::mutex mutex_;
    ReflectorProgress progress_;
    /// Null if no run is in progress.
    RunPtr run_;
    std::optional<wva_metrics::detail::ContextHook> hook_;
};

} // namespace wva_metrics::kubernetes::detail
