# Debian packages, made by `cpack -G DEB`: scripts/packages says how. They are of a build with shared libraries.
set(soversion ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(package_of_runtime libicpi${soversion})
set(package_of_development libicpi-dev)
set(package_of_program icpi)

set(CPACK_GENERATOR DEB)
set(CPACK_COMPONENTS_ALL runtime development program)
set(CPACK_PACKAGE_NAME icpi)
set(CPACK_PACKAGE_VENDOR "icpi contributors")
set(ICPI_PACKAGE_CONTACT "icpi contributors <icpi@example.org>" CACHE STRING "Who stands in Debian packages as maintainer")
mark_as_advanced(ICPI_PACKAGE_CONTACT)
set(CPACK_PACKAGE_CONTACT ${ICPI_PACKAGE_CONTACT})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ
                                                WORLD_EXECUTE)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY >=)

# Where the program finds the libraries that the other package will have.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "")
foreach(component IN ITEMS icpi http process store postgres llama)
  if(TARGET icpi_${component})
    get_target_property(folder icpi_${component} BINARY_DIR)
    list(APPEND CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${folder})
  endif()
endforeach()

set(about "Reinforcement learning in which a frozen language model, through prompts\nalone, is both the world model and the policy that is improved.")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME ${package_of_runtime})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/cmake/debian/triggers)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "${about}\nThese are the shared libraries.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME ${package_of_development})
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "${package_of_runtime} (= ${PROJECT_VERSION}), libeigen3-dev (>= 3.4), libfmt-dev (>= 9)")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "libcurl4-openssl-dev, libpq-dev, libsqlite3-dev")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "${about}\nThese are the headers.")

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME ${package_of_program})
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS "${package_of_runtime} (= ${PROJECT_VERSION})")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_RECOMMENDS "gnuplot-nox | gnuplot")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS python3)
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "${about}\nThis is the program.")

# What every package says of itself, compressed as Debian wants it.
function(compress name content)
  file(WRITE ${PROJECT_BINARY_DIR}/cmake/${name} "${content}")
  execute_process(COMMAND gzip -9nf ${PROJECT_BINARY_DIR}/cmake/${name} COMMAND_ERROR_IS_FATAL ANY)
endfunction()
compress(changelog "icpi (${PROJECT_VERSION}) unstable; urgency=medium

  * Release ${PROJECT_VERSION}.

 -- ${ICPI_PACKAGE_CONTACT}  Thu, 01 Jan 2026 00:00:00 +0000
")
foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  install(FILES ${PROJECT_SOURCE_DIR}/cmake/debian/copyright ${PROJECT_BINARY_DIR}/cmake/changelog.gz
          DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package_of_${component}} COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()
# CPack writes the scripts that this is about.
file(WRITE ${PROJECT_BINARY_DIR}/cmake/lintian-overrides "${package_of_runtime}: maintscript-calls-ldconfig\n")
install(FILES ${PROJECT_BINARY_DIR}/cmake/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides
        RENAME ${package_of_runtime} COMPONENT runtime EXCLUDE_FROM_ALL)
if(ICPI_BUILD_PROGRAM)
  file(READ ${PROJECT_SOURCE_DIR}/docs/icpi.1 manual)
  compress(icpi.1 "${manual}")
  install(FILES ${PROJECT_BINARY_DIR}/cmake/icpi.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT program)
endif()
include(CPack)
