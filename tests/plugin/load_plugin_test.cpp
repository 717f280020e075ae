// SPDX-License-Identifier: Apache-2.0
#include <wva_metrics/settings/plugin/load_plugin.hpp>

#include "support/temporary_directory.hpp"

#include <boost/asio/io_context.hpp>
#include <catch2/catch_all.hpp>

#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

using namespace wva_metrics;

namespace {

/// One of the shared objects that are built beside this program.
std::string object(const std::string& name) {
    return std::string(WVA_METRICS_PLUGIN_DIRECTORY) + "/" + name + ".so";
}

std::string refusal(const std::string& path) {
    CollectorFactory factory;
    const Result<std::string> loaded = load_plugin(factory, path);
    REQUIRE(loaded.has_error());
    CHECK(loaded.error().is(Errc::invalid_config));
    return loaded.error().message;
}

Result<OptimizerSnapshot> collect(boost::asio::io_context& io, AnyCollector& collector) {
    std::optional<Result<OptimizerSnapshot>> done;
    collector.async_collect_optimizer_metrics(
        {"llm", "llama-a100", "meta/llama", "llama-a100"},
        [&](Result<OptimizerSnapshot> result) { done = std::move(result); });
    io.restart();
    while (!done)
        REQUIRE(io.run_one() == 1);
    return *std::move(done);
}

CollectorSettings settings_with(const char* option = nullptr) {
    CollectorSettings settings;
    settings.backend = "good";
    if (option != nullptr)
        settings.options[option] = true;
    return settings;
}

} // namespace

TEST_CASE("a backend from a shared object collects like any other") {
    CollectorFactory factory;
    REQUIRE(load_plugin(factory, object("good")).value() == "good");
    boost::asio::io_context io;
    AnyCollector collector = factory.make_collector(io.get_executor(), settings_with()).value();
    const auto metrics = collect(io, collector);
    REQUIRE(metrics.has_value());
    CHECK((*metrics)->deployment == "llama-a100");
    CHECK(collect(io, collector)->source() == Source::cache);
}

TEST_CASE("what came from a plugin is used after its factory, its collector and its io_context") {
    Error error;
    std::optional<OptimizerSnapshot> snapshot;
    {
        boost::asio::io_context io;
        std::optional<AnyCollector> collector;
        {
            CollectorFactory factory;
            load_plugin(factory, object("good")).value();
            collector = factory.make_collector(io.get_executor(), settings_with()).value();
            AnyCollector failing =
                factory.make_collector(io.get_executor(), settings_with("fail")).value();
            error = collect(io, failing).error();
        }
        snapshot = collect(io, *collector).value();
    }
    CHECK(error.is(Errc::unavailable));
    CHECK(error.describe() == "unavailable: an error of the plugin's");
    CHECK((*snapshot)->variant == "llama-a100");
}

TEST_CASE("exceptions from a plugin become errors: of making the collector, and of a collection") {
    CollectorFactory factory;
    load_plugin(factory, object("good")).value();
    boost::asio::io_context io;
    const auto made = factory.make_collector(io.get_executor(), settings_with("throw"));
    REQUIRE(made.has_error());
    CHECK(made.error().describe() ==
          "internal: the backend 'good' could not be made: the accelerator is on fire");
    AnyCollector collector =
        factory.make_collector(io.get_executor(), settings_with("throw_later")).value();
    CHECK(collect(io, collector).error().message.ends_with("thrown by the plugin"));
}

TEST_CASE("a file that is not there, is none, or is no shared object is refused") {
    const test_support::TemporaryDirectory directory;
    const std::string missing = directory.path() / "missing.so";
    CHECK(refusal(missing) == "the plugin " + missing + " does not exist");
    CHECK(refusal(directory.path()) == "the plugin " + directory.path().string() + " is no file");
    CHECK(refusal("") == "the path of a plugin is empty");

    const std::string text = directory.path() / "text.so";
    std::ofstream(text) << "These are the words of a text that is long enough to be looked at, and "
                           "no program at all.\n";
    CHECK(refusal(text) ==
          "the plugin " + text + " cannot be loaded as a shared object: invalid ELF header");
    const std::string empty = directory.path() / "empty.so";
    std::ofstream(empty).flush();
    CHECK(refusal(empty) ==
          "the plugin " + empty + " cannot be loaded as a shared object: file too short");
}

TEST_CASE("a shared object that is no plugin is refused") {
    const std::string path = object("no_plugin");
    CHECK(refusal(path) ==
          "the plugin " + path +
              " is a shared object, but no plugin: it does not export wva_metrics_plugin, as "
              "WVA_METRICS_EXPORT_BACKEND does");
}

TEST_CASE("a plugin of another version or ABI is refused, and both are named") {
    const std::string path = object("other_version");
    CHECK(refusal(path) ==
          "the plugin " + path +
              " was built with wva_metrics 0.0.9, Boost 1_74, libstdc++ string ABI 0, GCC C++ ABI "
              "1011, but this program with " +
              plugin_abi + "; build one of them again with what the other has");
}

TEST_CASE("a plugin that lacks something is refused when it is loaded, not when it is used") {
    const std::string path = object("incomplete");
    CHECK(refusal(path) == "the plugin " + path +
                               " cannot be loaded as a shared object: undefined symbol: "
                               "nobody_has_this_function");
    CHECK(refusal(object("nameless")) ==
          "the plugin " + object("nameless") +
              " has a backend without a name or without a function that makes it");
}

TEST_CASE("a plugin whose name is taken is refused, and the first stays") {
    CollectorFactory factory;
    load_plugin(factory, object("good")).value();
    const auto again = load_plugin(factory, object("good"));
    REQUIRE(again.has_error());
    CHECK(again.error().message == "the plugin " + object("good") +
                                       " cannot be registered: there is a backend 'good' already");
    boost::asio::io_context io;
    CHECK(factory.make_collector(io.get_executor(), settings_with()).has_value());
}

TEST_CASE("of several plugins those that can be loaded are, and all problems are told") {
    CollectorFactory factory;
    CHECK(load_plugins(factory, {}).has_value());
    const auto result =
        load_plugins(factory, {object("no_plugin"), object("good"), object("missing")});
    REQUIRE(result.has_error());
    CHECK(result.error().message.find("no_plugin.so is a shared object") != std::string::npos);
    CHECK(result.error().message.find("; the plugin " + object("missing") + " does not exist") !=
          std::string::npos);
    boost::asio::io_context io;
    CHECK(factory.make_collector(io.get_executor(), settings_with()).has_value());
}
