# SPDX-License-Identifier: Apache-2.0
#
# A recipe of Conan 2 for this source tree: conan create <tree>/cmake/packaging/conan
from os.path import join

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.files import copy
from conan.tools.layout import basic_layout

required_conan_version = ">=2.0"


class WvaMetricsConan(ConanFile):
    name = "wva_metrics"
    version = "0.7.0"
    description = "How loaded are my inference servers, how old is that knowledge, and may it be trusted?"
    license = "Apache-2.0"
    topics = ("autoscaling", "metrics", "prometheus", "llm", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"with_tls": [True, False], "with_gzip": [True, False]}
    default_options = {"with_tls": True, "with_gzip": True}
    no_copy_source = True

    def export_sources(self):
        tree = join(self.recipe_folder, "..", "..", "..")
        copy(self, "include/*.hpp", src=tree, dst=self.export_sources_folder)
        copy(self, "LICENSE", src=tree, dst=self.export_sources_folder)

    def layout(self):
        basic_layout(self)

    def requirements(self):
        self.requires("boost/[>=1.83 <2]")
        if self.options.with_tls:
            self.requires("openssl/[>=3 <4]")
        if self.options.with_gzip:
            self.requires("zlib/[>=1.2.11 <2]")

    def validate(self):
        if self.settings.get_safe("compiler.cppstd"):
            check_min_cppstd(self, 20)

    def package(self):
        copy(self, "LICENSE", src=self.source_folder, dst=join(self.package_folder, "licenses"))
        copy(self, "*.hpp", src=join(self.source_folder, "include"), dst=join(self.package_folder, "include"))

    def package_id(self):
        self.info.clear()

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "wva_metrics")
        self._component("wva_metrics", ["boost::headers", "boost::json"])
        if self.settings.os in ("Linux", "FreeBSD"):
            self.cpp_info.components["wva_metrics"].system_libs = ["pthread"]
        if self.options.with_tls:
            self._component("tls", ["wva_metrics", "openssl::openssl"], "WVA_METRICS_WITH_TLS")
        if self.options.with_gzip:
            self._component("gzip", ["wva_metrics", "zlib::zlib"], "WVA_METRICS_WITH_GZIP")
        self._component("plugin", ["wva_metrics"], "WVA_METRICS_WITH_PLUGIN")
        if self.settings.os == "Linux":
            self.cpp_info.components["plugin"].system_libs = ["dl"]

    def _component(self, name, requires, define=None):
        component = self.cpp_info.components[name]
        component.set_property("cmake_target_name", "wva_metrics::" + name)
        component.set_property("pkg_config_name", name if name == "wva_metrics" else "wva_metrics-" + name)
        component.requires = requires
        component.bindirs = []
        component.libdirs = []
        if define:
            component.defines = [define]
