# SPDX-License-Identifier: MIT
"""Recipe for Conan 2. `conan create .` builds the library into Conan's cache, and a program that uses it."""

import os
import re

from conan import ConanFile
from conan.errors import ConanInvalidConfiguration
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load

# Each is an option, a component of the package, and ICPI_BUILD_<NAME> of the build.
ADAPTERS = ("http", "process", "store", "postgres")


class Icpi(ConanFile):
    name = "icpi"
    description = "In-Context Policy Iteration with language models"
    license = "MIT"
    topics = ("reinforcement-learning", "language-models")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {option: [True, False] for option in ("shared", "fPIC", *ADAPTERS)}
    default_options = {"shared": False, "fPIC": True, "http": True, "process": True, "store": True, "postgres": False}
    implements = ["auto_shared_fpic"]
    test_package_folder = "tests/consumers/conan"
    exports = "include/icpi/version.hpp"
    exports_sources = "CMakeLists.txt", "CMakePresets.json", "LICENSE", "cmake/*", "docs/icpi.1", "include/*", "src/*"

    def set_version(self):
        header = load(self, os.path.join(self.recipe_folder, "include", "icpi", "version.hpp"))
        self.version = ".".join(re.findall(r"define ICPI_VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header))

    def configure(self):
        if self.options.postgres:
            self.options.store = True  # whose cache it is a place for

    def requirements(self):
        self.requires("eigen/[>=3.4 <4]", transitive_headers=True)
        self.requires("fmt/[>=9.1 <10]")
        self.requires("nlohmann_json/[>=3.11 <4]", visible=False)
        if self.options.http:
            self.requires("libcurl/[>=7.84 <9]")
        if self.options.store:
            self.requires("sqlite3/[>=3.35 <4]")
        if self.options.postgres:
            self.requires("libpq/[>=12]")

    def validate(self):
        check_min_cppstd(self, 20)
        if self.settings.os == "Windows":
            raise ConanInvalidConfiguration("icpi needs a POSIX system")

    def layout(self):
        cmake_layout(self)

    def generate(self):
        toolchain = CMakeToolchain(self)
        for adapter in ADAPTERS:
            toolchain.cache_variables[f"ICPI_BUILD_{adapter.upper()}"] = bool(self.options.get_safe(adapter))
        for part in ("PROGRAM", "TESTS", "EXAMPLES"):
            toolchain.cache_variables[f"ICPI_BUILD_{part}"] = False
        toolchain.generate()
        dependencies = CMakeDeps(self)
        dependencies.set_property("libcurl", "cmake_config_version_compat", "AnyNewerVersion")  # 8 serves who asks for 7
        dependencies.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        copy(self, "LICENSE", src=self.source_folder, dst=os.path.join(self.package_folder, "licenses"))
        CMake(self).install()

    def package_info(self):
        # Conan's target of all components would else have the name of the first one.
        self.cpp_info.set_property("cmake_target_name", "icpi::all")
        self._component("icpi", ["eigen::eigen", "fmt::fmt"], libs=["icpi"])
        for adapter, requires in {
            "http": ["libcurl::libcurl"],
            "process": [],
            "store": ["sqlite3::sqlite3"],
            "postgres": ["store", "libpq::libpq"],
        }.items():
            if self.options.get_safe(adapter):
                self._component(adapter, ["icpi", *requires], libs=[f"icpi_{adapter}"])

    def _component(self, name, requires, libs):
        component = self.cpp_info.components[name]
        component.set_property("cmake_target_name", f"icpi::{name}")
        component.set_property("pkg_config_name", "icpi" if name == "icpi" else f"icpi-{name}")
        component.requires = list(requires)
        component.libs = libs
        if self.settings.os in ("Linux", "FreeBSD"):
            component.system_libs = ["pthread"]
