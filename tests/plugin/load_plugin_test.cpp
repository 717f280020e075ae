// SPDX-License-Identifier: Apache-2.0
#include "support/temporary_directory.hpp"
#include "wva_metrics/settings/plugin/load_plugin.hpp"

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

/// The path of a shared object that is built with this program.
std::string object(const std::string& name) {
    return std::string(WVA_METRICS_PLUGIN_DIRECTORY) + "/" + name + ".so";
}

std::string rejection_of(const std::string& path) {
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

TEST_CASE("objects of a plugin outlive its factory, its collector and its io_context") {
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
    CHECK(error.describe() == "unavailable: an error of the plugin");
    CHECK((*snapshot)->variant == "llama-a100");
}

TEST_CASE("exceptions of a plugin become errors of making the collector or of a collection") {
    CollectorFactory factory;
    load_plugin(factory, object("good")).value();
    boost::asio::io_context io;
    const auto made = factory.make_collector(io.get_executor(), settings_with("throw"));
    REQUIRE(made.has_error());
    CHECK(made.error().describe() ==
          "internal: cannot make the backend 'good': the accelerator is on fire");
    AnyCollector collector =
        factory.make_collector(io.get_executor(), settings_with("throw_later")).value();
    CHECK(collect(io, collector).error().message.ends_with("thrown by the plugin"));
}

TEST_CASE("a file that does not exist or is not a shared object is rejected") {
    const test_support::TemporaryDirectory directory;
    const std::string missing = directory.path() / "missing.so";
    CHECK(rejection_of(missing) == "the plugin " + missing + " does not exist");
    CHECK(rejection_of(directory.path()) ==
          "the plugin " + directory.path().string() + " is not a regular file");
    CHECK(rejection_of("") == "the path of a plugin is empty");

    const std::string text = directory.path() / "text.so";
    std::ofstream(text)
        << "This text is not a program, but is long enough for the loader to read an ELF "
           "header.\n";
    CHECK(rejection_of(text) ==
          "the plugin " + text + " cannot be loaded as a shared object: invalid ELF header");
    const std::string empty = directory.path() / "empty.so";
    std::ofstream(empty).flush();
    CHECK(rejection_of(empty) ==
          "the plugin " + empty + " cannot be loaded as a shared object: file too short");
}

TEST_CASE("a shared object that is not a plugin is rejected") {
    const std::string path = object("no_plugin");
    CHECK(rejection_of(path) ==
          "the plugin " + path +
              " is a shared object but not a plugin: it does not export wva_metrics_plugin (use "
              "WVA_METRICS_EXPORT_BACKEND)");
}

TEST_CASE("a plugin of another version or ABI is rejected, and both versions are named") {
    const std::string path = object("other_version");
    CHECK(rejection_of(path) ==
          "the plugin " + path +
              " was built with wva_metrics 0.0.9, Boost 1_74, libstdc++ string ABI 0, GCC C++ ABI "
              "1011, but this program was built with " +
              plugin_abi + "; rebuild one of them to match the other");
}

TEST_CASE("an incomplete plugin is rejected when it is loaded, not when it is used") {
    const std::string path = object("incomplete");
    CHECK(rejection_of(path) == "the plugin " + path +
                                    " cannot be loaded as a shared object: undefined symbol: "
                                    "undefined_function");
    CHECK(rejection_of(object("nameless")) ==
          "the plugin " + object("nameless") +
              " has a backend without a name or without a function that makes it");
}

TEST_CASE("a plugin with a registered name is rejected, and the first one stays registered") {
    CollectorFactory factory;
    load_plugin(factory, object("good")).value();
    const auto again = load_plugin(factory, object("good"));
    REQUIRE(again.has_error());
    CHECK(again.error().message ==
          "the plugin " + object("good") +
              " cannot be registered: the backend 'good' is already registered");
    boost::asio::io_context io;
    CHECK(factory.make_collector(io.get_executor(), settings_with()).has_value());
}

TEST_CASE("all loadable plugins are loaded, and all problems are reported") {
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
