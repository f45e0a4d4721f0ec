"""What moto holds in memory only: written down before each answer, put back when its bucket or table is made."""
