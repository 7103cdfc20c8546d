# SPDX-License-Identifier: Apache-2.0
# An install tree that find_package(recal) understands.

include(CMakePackageConfigHelpers)

set(recal_config_dir "${CMAKE_INSTALL_DATADIR}/cmake/recal")

install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/recal" DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")

install(TARGETS recal EXPORT recalTargets)
install(EXPORT recalTargets NAMESPACE recal:: DESTINATION "${recal_config_dir}")
if(TARGET recal_cuda)
  install(TARGETS recal_cuda EXPORT recalCudaTargets)
  install(EXPORT recalCudaTargets NAMESPACE recal:: DESTINATION "${recal_config_dir}")
  install(FILES "${PROJECT_SOURCE_DIR}/cmake/RecalCudaStandard.cmake" DESTINATION "${recal_config_dir}")
endif()

configure_package_config_file("${PROJECT_SOURCE_DIR}/cmake/recalConfig.cmake.in"
                              "${PROJECT_BINARY_DIR}/recalConfig.cmake" INSTALL_DESTINATION "${recal_config_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/recalConfigVersion.cmake" COMPATIBILITY SameMinorVersion
                                 ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/recalConfig.cmake" "${PROJECT_BINARY_DIR}/recalConfigVersion.cmake"
        DESTINATION "${recal_config_dir}")
