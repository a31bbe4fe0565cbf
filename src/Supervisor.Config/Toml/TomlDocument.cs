using Supervisor.Config.Diagnostics;
using Tomlyn.Parsing;
using Tomlyn.Syntax;

namespace Supervisor.Config.Toml;

/// <summary>
/// Turns one file into a tree. Tomlyn's syntax parser reads it, because this parser continues after an error and keeps every
/// position. This class turns dotted keys and headers into nested tables, and reports a second definition with both places.
/// </summary>
internal sealed class TomlDocument
{
    /// <summary>No setting is deeper than five keys. Without a limit, a hostile key costs its length squared.</summary>
    private const int MaxSegments = 32;

    private readonly string _file;
    private readonly DiagnosticList _report;
    private readonly TomlNode _root;
    private SyntaxReader? _syntax;

    /// <summary>Whether the current section is a repeated one. The repetition is reported once, not for each key of both.</summary>
    private bool _isRepeated;

    private TomlDocument(string file, DiagnosticList report)
    {
        _file = file;
        _report = report;
        _root = TomlNode.OfTable(new SourcePosition(file, 1, 1), TableOrigin.Header);
    }

    /// <summary>The root table of <paramref name="source"/>; errors go to <paramref name="report"/>.</summary>
    public static TomlNode Read(ConfigSource source, DiagnosticList report)
    {
        var document = new TomlDocument(source.Path, report);
        try
        {
            // Tomlyn 2.10.2 throws if the text ends in an escape sequence. With a line end it reports the error.
            document.Read(source.Text + "\n");
        }
        catch (ArgumentOutOfRangeException)
        {
            // Tomlyn 2.10.2 throws this for an escape sequence of half a surrogate pair, which UTF-8 cannot encode.
            report.AddSyntax(new SourcePosition(source.Path, 1, 1), null, "the file contains an escape sequence that is not a character");
        }

        return document._root;
    }

    private void Read(string text)
    {
        var before = _report.Count;
        _syntax = new SyntaxReader(text, _file, _report);
        var syntax = _syntax.Read();
        AddAll(_root, "", syntax.KeyValues);
        foreach (var section in syntax.Tables)
        {
            if (section.Name is { } name)
            {
                var path = string.Join('.', Segments(name).Select(segment => segment.Key));
                AddAll(section is TableArraySyntax ? DefineElement(name) : DefineTable(name), path + ".", section.Items);
            }
        }

        if (_report.Count == before)
        {
            // Tomlyn's own rules about redefinition, for what the tree does not detect.
            foreach (var diagnostic in SyntaxParser.Parse(_syntax.Text, _file, validate: true).Diagnostics)
            {
                _report.AddSyntax(At(diagnostic.Span), null, diagnostic.Message);
            }
        }
    }

    private void AddAll(TomlNode table, string path, IEnumerable<KeyValueSyntax> items)
    {
        foreach (var item in items)
        {
            Add(table, path, item);
        }
    }

    private void Add(TomlNode table, string path, KeyValueSyntax item)
    {
        if (item.Key is null)
        {
            return;
        }

        var segments = Segments(item.Key);
        foreach (var (key, position) in segments.SkipLast(1))
        {
            path += key;
            var existing = table.Find(key);
            if (existing is null)
            {
                existing = new TomlEntry(key, position, TomlNode.OfTable(position, TableOrigin.Dotted));
                table.TryAdd(existing);
            }
            else if (existing.Value is not { Kind: TomlNodeKind.Table, Origin: TableOrigin.Dotted })
            {
                if (!_isRepeated)
                {
                    _report.AddTwice(position, path, key, existing.Position);
                }

                return;
            }

            table = existing.Value;
            path += ".";
        }

        if (segments.Count == 0)
        {
            return;
        }

        var (last, at) = segments[^1];
        var entry = new TomlEntry(last, at, Value(item.Value, path + last, at));
        if (!table.TryAdd(entry) && !_isRepeated)
        {
            _report.AddTwice(at, path + last, last, table.Find(last)!.Position);
        }
    }

    private TomlNode Value(ValueSyntax? syntax, string path, SourcePosition fallback)
    {
        if (syntax is null)
        {
            return TomlNode.OfBroken(fallback);
        }

        var position = At(syntax.Span);
        switch (syntax)
        {
            case StringValueSyntax text:
                return TomlNode.OfString(text.Value ?? "", position);
            case IntegerValueSyntax integer when _syntax?.HugeIntegerAt(integer.Span.Start.Offset) is { } digits:
                return TomlNode.OfHugeInteger(digits, position);
            case IntegerValueSyntax integer:
                return TomlNode.OfInteger(integer.Value, integer.Token?.Text ?? "", position);
            case BooleanValueSyntax boolean:
                return TomlNode.OfBoolean(boolean.Value, position);
            case FloatValueSyntax number:
                return TomlNode.OfFloat(number.Token?.Text ?? "", position);
            case DateTimeValueSyntax date:
                return TomlNode.OfDateTime(date.Token?.Text ?? "", position);
            case ArraySyntax syntaxArray:
                var array = TomlNode.OfArray(position);
                foreach (var item in syntaxArray.Items)
                {
                    array.Add(Value(item.Value, path, At(item.Span)));
                }

                return array;
            case InlineTableSyntax inline:
                var table = TomlNode.OfTable(position, TableOrigin.Inline);
                AddAll(table, path + ".", inline.Items.Select(item => item.KeyValue).OfType<KeyValueSyntax>());
                return table;
            default:
                return TomlNode.OfBroken(position);
        }
    }

    /// <summary>The table of a header. If the header is not permitted: the existing table, or an unused one.</summary>
    private TomlNode DefineTable(KeySyntax name)
    {
        _isRepeated = false;
        var (parent, path, segment) = Parent(name);
        var entry = parent?.Find(segment.Key);
        if (parent is null)
        {
            return Detached();
        }

        if (entry is null)
        {
            var table = TomlNode.OfTable(segment.Position, TableOrigin.Header);
            parent.TryAdd(new TomlEntry(segment.Key, segment.Position, table));
            return table;
        }

        if (entry.Value is { Kind: TomlNodeKind.Table, Origin: TableOrigin.Implied } implied)
        {
            implied.Origin = TableOrigin.Header;
            return implied;
        }

        // One message for one mistake: keys of both are not errors, and the other keys are read.
        _report.AddTwice(segment.Position, path, segment.Key, entry.Position);
        _isRepeated = true;
        return entry.Value is { Kind: TomlNodeKind.Table, Origin: TableOrigin.Header } twice ? twice : Detached();
    }

    /// <summary>A new element of an array of tables.</summary>
    private TomlNode DefineElement(KeySyntax name)
    {
        _isRepeated = false;
        var (parent, path, segment) = Parent(name);
        if (parent is null)
        {
            return Detached();
        }

        var entry = parent.Find(segment.Key);
        if (entry is null)
        {
            entry = new TomlEntry(segment.Key, segment.Position, TomlNode.OfArray(segment.Position));
            parent.TryAdd(entry);
        }
        else if (entry.Value.Kind != TomlNodeKind.Array)
        {
            _report.AddTwice(segment.Position, path, segment.Key, entry.Position);
            return Detached();
        }

        var element = TomlNode.OfTable(segment.Position, TableOrigin.Header);
        entry.Value.Add(element);
        return element;
    }

    /// <summary>The table in which a header's last segment is defined; null if an earlier segment is not a table.</summary>
    private (TomlNode? Parent, string Path, (string Key, SourcePosition Position) Segment) Parent(KeySyntax name)
    {
        var segments = Segments(name);
        if (segments.Count == 0)
        {
            return (null, "", ("", At(name.Span)));
        }

        var table = _root;
        var path = "";
        foreach (var (key, position) in segments.SkipLast(1))
        {
            path += key;
            var entry = table.Find(key);
            if (entry is null)
            {
                entry = new TomlEntry(key, position, TomlNode.OfTable(position, TableOrigin.Implied));
                table.TryAdd(entry);
            }

            var next = entry.Value is { Kind: TomlNodeKind.Array, Items.Count: > 0 } array ? array.Items[^1] : entry.Value;
            if (next.Kind != TomlNodeKind.Table || next.Origin == TableOrigin.Inline)
            {
                _report.AddTwice(position, path, key, entry.Position);
                return (null, path, segments[^1]);
            }

            table = next;
            path += ".";
        }

        return (table, path + segments[^1].Key, segments[^1]);
    }

    private TomlNode Detached() => TomlNode.OfTable(new SourcePosition(_file, 0, 0), TableOrigin.Header);

    private List<(string Key, SourcePosition Position)> Segments(KeySyntax name)
    {
        var segments = new List<(string, SourcePosition)>();
        Append(name.Key);
        foreach (var dotted in name.DotKeys)
        {
            if (segments.Count == MaxSegments)
            {
                _report.AddSyntax(At(dotted.Span), null, $"the key has more than {MaxSegments} parts");
                return [];
            }

            Append(dotted.Key);
        }

        return segments;

        void Append(BareKeyOrStringValueSyntax? key)
        {
            var text = key switch
            {
                BareKeySyntax bare => bare.Key?.Text,
                StringValueSyntax quoted => quoted.Value,
                _ => null,
            };
            if (text is not null)
            {
                segments.Add((text, At(key!.Span)));
            }
        }
    }

    private SourcePosition At(SourceSpan span) => new(_file, Math.Max(0, span.Start.Line) + 1, Math.Max(0, span.Start.Column) + 1);
}
