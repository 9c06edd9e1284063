"""The browser's screens in a web page: textual-serve on loopback, closed to other sites."""
