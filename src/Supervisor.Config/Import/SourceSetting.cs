using System.Runtime.CompilerServices;

namespace Supervisor.Config.Import;

/// <summary>A setting of another program's configuration. Two settings are equal only if they stand at the same place.</summary>
/// <param name="File">Its file, as the user named it.</param>
/// <param name="Line">The line on which it begins, from 1.</param>
/// <param name="Section">The section without brackets.</param>
/// <param name="Key">The name; in capitals and small letters as the other program compares it.</param>
/// <param name="Value">The value, trimmed; continuation lines are joined.</param>
internal sealed record SourceSetting(string File, int Line, string Section, string Key, string Value)
{
    /// <summary>The name, as written there.</summary>
    public string Spelling { get; init; } = Key;

    /// <inheritdoc/>
    public bool Equals(SourceSetting? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);
}
