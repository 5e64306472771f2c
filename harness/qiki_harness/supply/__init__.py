"""Supply chain: pins beside the locks, licences, bills of materials."""
