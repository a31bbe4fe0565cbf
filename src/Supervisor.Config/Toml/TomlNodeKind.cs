namespace Supervisor.Config.Toml;

/// <summary>TOML's types of values.</summary>
internal enum TomlNodeKind
{
    String,
    Integer,
    Float,
    Boolean,
    DateTime,
    Array,
    Table,

    /// <summary>A value that the syntax does not let be read; the syntax error has been reported.</summary>
    Broken,
}
