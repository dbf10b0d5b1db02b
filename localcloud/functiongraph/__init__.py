"""FunctionGraph: functions, their triggers and asynchronous configurations, and their packages run for real."""
