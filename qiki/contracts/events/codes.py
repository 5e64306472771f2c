"""The registrar's codes: the name of each number, and the topic of each hundred."""

from collections.abc import Mapping

RANGES: Mapping[int, str] = {
    1: "boot and initialisation",
    2: "sensors and input",
    3: "actuators and output",
    4: "communication",
    5: "navigation",
    6: "power",
    7: "health",
    8: "security",
    9: "critical",
}

CODES: Mapping[int, str] = {
    100: "BOOT_START",
    101: "BOOT_OK",
    102: "BOOT_FAILED",
    110: "INIT_START",
    111: "INIT_OK",
    112: "INIT_FAILED",
    200: "SENSOR_IO_START",
    201: "SENSOR_IO_OK",
    202: "SENSOR_IO_FAILED",
    210: "RADAR_FRAME_RECEIVED",
    211: "RADAR_TRACK_GENERATED",
    300: "ACTUATOR_START",
    301: "ACTUATOR_OK",
    302: "ACTUATOR_FAILED",
    400: "COMM_START",
    401: "COMM_OK",
    402: "COMM_FAILED",
    410: "NATS_CONNECTED",
    411: "NATS_DISCONNECTED",
    500: "NAV_START",
    501: "NAV_OK",
    502: "NAV_FAILED",
    600: "POWER_START",
    601: "POWER_OK",
    602: "POWER_LOW",
    603: "POWER_CRITICAL",
    700: "HEALTH_CHECK_START",
    701: "HEALTH_CHECK_OK",
    702: "HEALTH_CHECK_FAILED",
    800: "SECURITY_START",
    801: "SECURITY_OK",
    802: "SECURITY_VIOLATION",
    900: "CRITICAL_ERROR",
    901: "SYSTEM_HALT",
    910: "RECOVERY_START",
    911: "RECOVERY_OK",
}


def is_code(number: int) -> bool:
    """Return whether a number lies in one of the ranges; clients may use numbers without a name."""
    return number // 100 in RANGES
