"""People"""
