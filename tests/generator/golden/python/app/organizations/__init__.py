"""Organizations"""
