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

    /// <summary>A value with a syntax error, which has been reported.</summary>
    Broken,
}
